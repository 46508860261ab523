"""Amounts in the smallest unit of a currency, as people read and type them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

DECIMALS = 2
OTHER_DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # ISO 4217, of currencies in use
LARGEST = 10**9


def decimals(currency: str) -> int:
    """How many digits stand behind the point."""
    return OTHER_DECIMALS.get(currency.upper(), DECIMALS)


def shown(amount: int, currency: str) -> str:
    """`150` EUR as `1.50 EUR`; a dash where there is no price."""
    return f"{typed(amount, currency)} {currency}".strip() if amount else "-"


def typed(amount: int, currency: str) -> str:
    """As one types it: `1.50`."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):.{places}f}"


def parse(text: str, currency: str) -> int:
    """What was typed, in the smallest unit. Raises ValueError."""
    try:
        amount = Decimal(text.strip().replace(",", ".")).scaleb(decimals(currency))
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or not 0 <= amount <= LARGEST or amount != int(amount):
        raise ValueError(text)
    return int(amount)
