"""Commands that show something: QR codes and stored pictures, prepared, drawn, and what panels say they show."""
