"""The dashboards of apps, and what stands on them."""
