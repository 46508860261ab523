"""The aiohttp application: middleware, the /v1 API, live WebSocket and SSE, OpenAPI, health and metrics."""
