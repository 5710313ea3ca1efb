"""Routes of the HTTP API: access.py (keys and roles), then one file per part; http_edge.py puts them together."""
