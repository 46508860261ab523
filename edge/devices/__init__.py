"""Who is there: registry, approval, tokens, presence, and which agent sits at which display."""
