"""farm.toml of the farms that several tests use, with `{}` for each port."""

HOUSE = """
[domains.house]
home = true
port = {}
"""
HOUSE_AND_BARN = f"""{HOUSE}
[domains.barn]
port = {{}}
[[links]]
a = "barn"
b = "house"
"""
HTTP = """
[commander]
http = "127.0.0.1:{}"
"""
