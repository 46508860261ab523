"""A hub behind TLS: the board goes there only if the authority on its flash vouches for it."""

from __future__ import annotations

import asyncio
import datetime
import re
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.sim.field_board import FieldBoard
from tests.fakes.field_hub import field_hub

CHIP = "A0B1C2D3E4F5"
DAY = datetime.timedelta(days=1)
DEADLINE_S = 60.0


def certificate(folder: Path) -> tuple[bytes, ssl.SSLContext]:
    """A new one that vouches for itself, as DER, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "hub.pem"
    private = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return made.public_bytes(serialization.Encoding.DER), context


async def test_it_speaks_with_a_hub_it_can_trust_and_with_no_other(tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    other, _ = certificate(tmp_path)
    async with field_hub(context) as (hub, url):
        settings = {"hub_url": url, "debug": 2}
        board = FieldBoard(tmp_path / "board", variant="base", chip=CHIP, network="-", settings=settings)
        authority = tmp_path / "board" / "flash" / "hub_ca.der"
        authority.parent.mkdir(parents=True)
        async with asyncio.timeout(DEADLINE_S), board:
            await board.hears(re.compile("hub_ca.der|ENOENT"))  # there is none
            await board.power_off()
            authority.write_bytes(other)
            board.power_on()
            await board.hears(re.compile("certificate"))
            assert hub.asked == []
            await board.power_off()
            authority.write_bytes(trusted)
            board.power_on()
            assert await board.code() == hub.code
