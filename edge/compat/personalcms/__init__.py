"""The older system of ESP32 boards that update themselves over the air (docs/compat/personalcms.md)."""
