"""Routes, proven on random graphs by brokers that do nothing but follow the filters."""

import contextlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domains import (
    DOWN,
    UP,
    BadFarmFile,
    Domain,
    Farm,
    Link,
    bridge_topic,
    load,
    path_links,
    problems,
    routes,
)  # fmt: skip
from broker.farmfile import Commander


@st.composite
def farms(draw: st.DrawFn) -> Farm:
    count = draw(st.integers(1, 6))
    names = [f"d{number}" for number in range(count)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    links = []
    for a, b in draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []:
        first, second = draw(st.sampled_from([(a, b), (b, a)]))
        flow = draw(st.sampled_from(["both", "a-to-b"]))
        dials = draw(st.sampled_from([a, b]))
        links.append(Link(f"{first}-{second}", first, second, dials, flow))
    home = draw(st.sampled_from(names))
    domains = {name: Domain(name, port=1000 + i, home=name == home) for i, name in enumerate(names)}
    return Farm("farm", domains, tuple(links), home, Commander())


def matches(pattern: str, topic: str) -> bool:
    wanted, levels = pattern.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(w in ("+", t) for w, t in zip(wanted, levels, strict=True))


def arrivals(farm: Farm, topic: str, *published_in: str) -> tuple[Counter[str], Counter[str]]:
    """How often a message arrives in each domain and crosses each hop, as Mosquitto would do it:
    what a broker gets, from a client or a bridge, it sends once over each filter that fits."""
    crossing = routes(farm).filters
    arrived, crossed = Counter(published_in), Counter()
    waiting = list(published_in)
    while waiting:
        here = waiting.pop()
        for hop, filters in crossing.items():
            if hop.source == here:
                fits = sum(matches(each, topic) for each in filters)
                arrived[hop.target] += fits
                crossed[f"{hop.link}:{hop.source}"] += fits
                waiting += [hop.target] * fits
                assert crossed[f"{hop.link}:{hop.source}"] <= 1, "crosses a link twice"
    return arrived, crossed


def reach(farm: Farm, start: str) -> set[str]:
    """Domains that messages from ``start`` can get to at all."""
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for link in farm.links:
            ways = [(link.a, link.b)] + ([(link.b, link.a)] if link.flow == "both" else [])
            for source, target in ways:
                if source == here and target not in found:
                    found.add(target)
                    waiting.append(target)
    return found


def on(path: tuple) -> set[str]:
    return {hop.target for hop in path}


@given(farms())
@settings(max_examples=60)
def test_every_topic_arrives_once_where_it_should_and_nowhere_else(farm: Farm) -> None:
    ways = routes(farm)
    for domain in farm.domains:
        heard_at_home = farm.home in reach(farm, domain)
        hears_home = domain in reach(farm, farm.home)
        assert (domain in ways.up, domain in ways.down) == (heard_at_home, hears_home)
        expected = {domain} | on(ways.up.get(domain, ()))
        for rest in (*UP, "evt/gap"):
            topic = f"farm/{domain}/n/self/{rest.replace('+', 'x')}"
            assert dict(+arrivals(farm, topic, domain)[0]) == dict.fromkeys(expected, 1)
        topic = f"farm/_/enrol/{domain}/t/req"
        assert dict(+arrivals(farm, topic, domain)[0]) == dict.fromkeys(expected, 1)
        expected = {farm.home} | on(ways.down.get(domain, ()))
        for rest in DOWN:
            topic = f"farm/{domain}/n/self/{rest.replace('+', 'x')}"
            assert dict(+arrivals(farm, topic, farm.home)[0]) == dict.fromkeys(expected, 1)
        for to in farm.domains:
            topic = f"farm/{domain}/n/self/xdata/{to}/x"
            path = ways.across.get((domain, to), ())
            assert bool(path) == (to != domain and to in reach(farm, domain))
            expected = {domain} | on(path)
            assert dict(+arrivals(farm, topic, domain)[0]) == dict.fromkeys(expected, 1)
        only_here = arrivals(farm, f"farm/{domain}/n/self/data/x", domain)[0]
        assert dict(+only_here) == {domain: 1}
    leader = arrivals(farm, "farm/_/leader", farm.home)[0]
    assert dict(+leader) == dict.fromkeys(reach(farm, farm.home), 1)


@given(farms())
@settings(max_examples=100)
def test_news_of_a_bridge_reaches_home_once_and_never_over_itself(farm: Farm) -> None:
    for link in farm.links:
        arrived, crossed = arrivals(farm, bridge_topic("farm", link.name), link.a, link.b)
        assert not [hop for hop in +crossed if hop.startswith(f"{link.name}:")]
        can = any(farm.home in reach(farm, end) for end in (link.a, link.b))
        assert arrived[farm.home] == int(can)


@given(farms())
@settings(max_examples=50)
def test_problems_name_exactly_what_cannot_be_reached(farm: Farm) -> None:
    errors = {each.domain for each in problems(farm) if each.severity == "error"}
    for domain in farm.domains:
        lost = farm.home not in reach(farm, domain) and domain not in reach(farm, farm.home)
        assert (domain in errors) == lost
        assert len(path_links(farm, domain)) == len(routes(farm).up.get(domain, ()))


def test_the_same_farm_gives_the_same_routes() -> None:
    text = """
[domains.home]
home = true
port = 1
[domains.left]
port = 2
[domains.right]
port = 3
[domains.far]
port = 4
"""
    for a, b in (("far", "right"), ("far", "left"), ("right", "home"), ("left", "home")):
        text += f'[[links]]\na = "{a}"\nb = "{b}"\n'
    assert path_links(load(text), "far") == ("far-left", "left-home")


GOOD = """root = "farm"
[domains.house]
home = true
port = 18830
[domains.barn]
port = 18831
[[links]]
a = "barn"
b = "house"
[commander]
http = "127.0.0.1:8080"
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[commander]", "[commander", 10, "not TOML"),
        ('root = "farm"', 'root = "my farm"', 1, "root = 'my farm': must be one topic level"),
        ('root = "farm"', 'rot = "farm"', 1, "unknown key 'rot'; allowed: root, domains"),
        ("[domains.barn]", "[domains.Barn]", 5, "domain 'Barn': an id is 1 to 63 of"),
        ("port = 18831", "port = 70000", 6, "a port is an integer from 1 to 65535"),
        ("port = 18831", "port = 18830", 6, "127.0.0.1:18830 is already the broker of house"),
        ("port = 18831", "portt = 18831", 6, "unknown key 'portt'; allowed: home, host, port"),
        ("port = 18831", "home = true", 6, "home = true in house and barn"),
        ("home = true", "home = false", 2, "no domain has home = true"),
        ("home = true", 'home = "yes"', 3, "home = 'yes': must be true or false"),
        ('a = "barn"', 'a = "shed"', 8, "a = 'shed' is no domain; allowed: house, barn"),
        ('b = "house"', 'b = "barn"', 9, "a and b are both barn"),
        ('b = "house"', 'b = "house"\ndials = "shed"', 10, "dials = 'shed': must be barn or house"),
        ('b = "house"', 'b = "house"\nflow = "up"', 10, "flow = 'up': must be both or a-to-b"),
        ('b = "house"', 'b = "house"\n[[links]]\na = "house"\nb = "barn"', 12, "already linked by"),
        ('http = "127.0.0.1:8080"', 'http = "8080"', 11, "http = '8080': must be host:port"),
        ("port = 18831", "port = 18831\nmosquitto = {a = [1]}", 7, "a: must be one line of text"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(BadFarmFile) as caught:
        load(GOOD.replace(old, new), "farm.toml")
    assert caught.value.user_message.startswith(f"farm.toml:{line}: ")
    assert says in caught.value.reason


@given(st.text(max_size=200))
def test_any_text_gives_a_farm_or_one_kind_of_error(text: str) -> None:
    for document in (text, GOOD + text):
        with contextlib.suppress(BadFarmFile):
            load(document)
