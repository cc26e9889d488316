"""The web page and the HTTP API (extra `web`): `reenact serve`."""
