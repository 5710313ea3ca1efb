"""FPGA boards on their whole way: virtual ones behind a real sentry, reserved, and bitstreams truly evaluated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commander.api import ApiError
from tests.boards.circuits import OSCILLATOR, bitstream, divider, need_tools, pulses
from tests.support.farms import HOUSE, HTTP
from tests.system.farm import Farm, farmhand, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

DIVIDERS = (7, 100, 12_000)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    need_tools()
    with Farm(tmp_path_factory.mktemp("boards") / "state", HOUSE + HTTP).up("--boards", "2") as found:
        yield found


def evaluate(farm: Farm, *words: str | Path, failed: str = "") -> list[dict[str, Any]]:
    done = farmhand("boards", "evaluate", *words, "--json", "--state", farm.state, env=farm.environment)
    assert failed in done.stderr
    assert done.returncode == bool(failed), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_dividers_are_counted_on_every_board_and_kept(farm: Farm, tmp_path: Path) -> None:
    for by in DIVIDERS:
        (tmp_path / f"by-{by}.bin").write_bytes(bitstream(divider(by)))
    (tmp_path / "short.bin").write_bytes(b"no bitstream")
    (tmp_path / "oscillator.bin").write_bytes(bitstream(OSCILLATOR))
    files = [tmp_path / f"{name}.bin" for name in (*(f"by-{by}" for by in DIVIDERS), "short", "oscillator")]
    told = evaluate(farm, *files, "--boards", "2", failed="4 of 10 evaluations failed")
    serials = {each["serial"] for each in told}
    assert len(serials) == 2
    values = {(each["serial"], each["evaluation"]): each["value"] for each in told if not each["problem"]}
    expected = {f"{number}-by-{by}.bin": pulses(by) for number, by in enumerate(DIVIDERS)}
    assert values == {(serial, name): count for serial in serials for name, count in expected.items()}
    problems = {each["evaluation"]: each["problem"] for each in told if each["problem"]}
    assert set(problems) == {"3-short.bin", "4-oscillator.bin"}
    assert "104090" in problems["3-short.bin"]
    assert "oscillator" in problems["4-oscillator.bin"]
    kept = farm.api.get("/boards/results", batch=told[0]["batch"], limit=100)["items"]
    assert {each["id"] for each in kept} == {each["id"] for each in told}
    assert all(each["user"] for each in kept)
    serial = min(serials)
    told = farmhand("boards", "console", serial, "--json", "--state", farm.state, env=farm.environment)
    lines = [(line["from"], line["text"]) for line in map(json.loads, told.stdout.splitlines())]
    assert [text for source, text in lines if source == "sentry"] == ["104,090 bytes"] * (len(DIVIDERS) + 1)
    counts = [text.split(",")[0] for source, text in lines if source == "board" and text.startswith("pulses")]
    assert counts == [f"pulses: {pulses(by)}" for by in DIVIDERS]

    def all_free() -> bool:
        return farm.api.get("/boards/available")["count"] == 2

    wait_for("boards that are given back, and fit for the next", all_free, 60)


def test_a_call_says_what_is_wrong_with_it(farm: Farm) -> None:
    wait_for("a free board", lambda: farm.api.get("/boards/available")["count"], 60)
    lease = farm.api.post("/boards/leases", {"kind": "pulsecount", "count": 1, "wait": False})
    path = f"/boards/leases/{lease['id']}/call"
    try:
        wish: dict[str, Any] = {"method": "evaluate", "args": {"batch": "b"}}
        for change, field in (
            ({"serials": ["e6-none"]}, "serials"),
            ({"files": [{"name": "x", "sha256": "0" * 64}]}, "files.sha256"),
            ({"method": "no such"}, "method"),
        ):
            with pytest.raises(ApiError, match=field):
                farm.api.post(path, {**wish, **change})

        def ready() -> bool:
            return farm.api.get(f"/boards/leases/{lease['id']}")["boards"][0]["state"] == "leased"

        wait_for("its board", ready, 60)
        with pytest.raises(ApiError, match="method"):
            farm.api.post(path, {**wish, "method": "explode"})
    finally:
        farm.api.post(f"/boards/leases/{lease['id']}/end", {})
    with pytest.raises(ApiError, match="is ended"):
        farm.api.post(path, {"method": "evaluate"})


@pytest.mark.micropython
def test_boards_with_micropython(tmp_path: Path) -> None:
    need_tools()
    (tmp_path / "by-7.bin").write_bytes(bitstream(divider(7)))
    farm = Farm(tmp_path / "state", HOUSE + HTTP)
    try:
        farm.up("--boards", "1", "--board-model", "micropython")
        (told,) = evaluate(farm, tmp_path / "by-7.bin")
        assert (told["value"], told["problem"], told["gate_ms"]) == (pulses(7, 48_000_000), "", 1000)
        lines = farmhand("boards", "console", told["serial"], "--json", "--state", farm.state, env=farm.environment)
        assert ", crc " in lines.stdout
    finally:
        farm.end()


def test_a_model_that_there_is_not(tmp_path: Path) -> None:
    done = farmhand("up", "--state", tmp_path / "state", "--ports", "auto", "--boards", "1", "--board-model", "wood")
    assert done.returncode != 0
    assert "--board-model: must be uf2 or micropython, not wood" in done.stderr
