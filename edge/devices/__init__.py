"""Who is there: registry, approval, tokens, presence, which agent sits at which display, and what was said."""
