"""Templates, playbooks and rollouts by their pages, up to the nodes."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from tests.web.farm import KEY, Machine, WebFarm
from tests.web.mining import host
from tests.web.test_pages import EVIL

pytestmark = [pytest.mark.browser, pytest.mark.broker]

RELEASE = {"url": "https://example.org/x.tar.gz", "sha256": "ab" * 32, "archive": "tar", "member": "xmrig"}


class Rigs:
    """Two hosts, one of them in the group that tries things first."""

    def __init__(self, farm: WebFarm):
        self.farm = farm
        self.first, self.second = host(farm, "attic-1"), host(farm, "barn-1")

    def reported(self, rig: Machine, status: str, state: str, error: str = "", **told: Any) -> None:
        """The node's answer to its newest document, which has to be there."""

        def document() -> Any:
            rows = self.farm.get(f"/api/v1/nodes/{rig.name}/desired")["items"]
            return next((row for row in rows if row["doc"] == "playbooks"), None)

        self.farm.until(document)
        data = {"miners": {"cpu": {"state": state, **told}}, "running_rev": 0}
        report = {"rev": document()["rev"], "status": status, "error": error, "data": data}
        rig.say(fleet.REPORTED, report, "playbooks", retain=True)


@pytest.fixture(scope="module")
def rigs(farm: WebFarm) -> Rigs:
    return Rigs(farm)


def test_from_an_address_to_a_running_miner(page: Page, farm: WebFarm, rigs: Rigs, complaints: list[str]) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Mining").click()
    page.get_by_role("link", name="Software").click()
    add_release(page)
    add_software(page)
    assert farm.get("/api/v1/mining/software/xmrig")["releases"][0].items() >= RELEASE.items()
    page.get_by_role("link", name="Templates").click()
    said = {
        "coin": {"name": "monero", "algorithm": "rx/0"},
        "pool": {"name": "nano", "urls": "stratum+ssl://pool.example:14433\npool.example:14444"},
        "address": {"name": "cold", "address": "48edfHu7V9Z84YzzMa6fUueoELZ9"},
    }
    for kind, fields in said.items():
        form = page.locator(f"#{kind}-form")
        page.get_by_text("Add or change", exact=False).filter(has_text=kind).click()
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        form.get_by_role("button", name="Save").click()
        expect(page.locator(f"#{kind}-list")).to_contain_text(fields["name"])
    page.get_by_role("link", name="Playbooks", exact=True).click()
    page.get_by_label("group of attic-1").fill("attic")
    page.get_by_label("group of attic-1").press("Tab")
    farm.until(lambda: any(row["group"] == "attic" for row in farm.get("/api/v1/mining/labels")["items"]))
    page.get_by_label("Name of a new playbook").fill("cpu")
    page.get_by_role("button", name="New playbook").click()

    arguments = page.get_by_label("Arguments")
    page.locator("[name=software]").select_option("xmrig")
    expect(arguments).to_have_value(re.compile(r"{{ worker }}"))  # what the software brings
    page.locator("[name=pool0]").select_option("nano")
    page.locator("[name=nodes]").fill("attic-1, barn-1")
    expect(page.locator("[data-problem=mine]")).to_contain_text("address")
    page.locator("[name=address0]").select_option("cold")
    expect(page.locator("[data-problem=mine]")).to_have_text("")
    expect(page.locator("[data-node=attic-1] pre")).to_contain_text("48edfHu7V9Z84YzzMa6fUueoELZ9.attic-1")
    text = arguments.input_value()
    arguments.fill(text + "\n--x={{ nonsense }}")
    expect(page.locator("[data-node=attic-1] .problem")).to_contain_text("nonsense")
    assert farm.get("/api/v1/mining/playbooks")["total"] == 0, "nothing is saved"
    arguments.fill(text + "\n--donate-level\n1")
    expect(page.locator("[data-node=attic-1] .problem")).to_have_count(0)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("bound").fill("500")
    page.locator("[name=canary]").fill("attic")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved")).to_contain_text("Version 1 is saved.")
    expect(page.locator("#version")).to_have_text("version 1")
    saved = farm.get("/api/v1/mining/playbooks/cpu")["data"]
    assert saved["arguments"][-2:] == ["--donate-level", "1"]
    assert isinstance(saved["arguments"][0], list), "repeated for each URL"
    assert saved["watchdog"] == [{"watch": "hashrate", "below": 500, "for_s": 300, "act": "restart-miner"}]

    page.locator("#saved a").click()
    rollout = page.locator(".rollout").first
    expect(rollout.locator(".counts")).to_contain_text("1 held")
    rigs.reported(rigs.first, "pending", "installing", pct=43)
    expect(rollout.get_by_role("row").filter(has_text="attic-1")).to_contain_text("cpu: installing 43 %")
    rigs.reported(rigs.first, "applied", "running")
    expect(rollout.locator(".badge").first).to_have_text("waiting")
    rollout.get_by_role("button", name="Continue").click()
    expect(rollout.get_by_role("button", name="Continue")).to_be_hidden()
    rigs.reported(rigs.second, "failed", "failed", EVIL)
    expect(rollout.get_by_role("row").filter(has_text="barn-1")).to_contain_text("broken in")
    expect(rollout.locator(".badge").first).to_have_text("failed")
    assert page.locator("main img, main script").count() == 0
    page.get_by_role("link", name="Audit").click()
    expect(page.locator("#audit")).to_contain_text("48edfHu7V9Z84YzzMa6fUueoELZ9")
    page.get_by_label("Filter the audit log").fill("playbook saved")
    expect(page.locator("#audit tbody tr")).to_have_count(1)
    page.get_by_role("link", name="All machines").click()
    expect(page.locator("#problems")).to_contain_text("playbooks:")
    wrong = [line for line in complaints if "422" not in line]  # each wrong playbook while it was written
    complaints.clear()
    assert wrong == []


def add_release(page: Page) -> None:
    panel = page.locator("[data-software=xmrig]")
    expect(panel).to_contain_text("No release yet")
    expect(panel.locator("pre")).to_contain_text("{{ pool.url }}")
    panel.get_by_text("Add or change a release").click()
    for name, value in {
        "release": "6.22.2",
        "platform": "linux-x86_64",
        "url": RELEASE["url"],
        "sha256": "abc",
    }.items():
        panel.locator(f"[name={name}]").fill(value)
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator("[data-problem=sha256]")).to_contain_text("64 hexadecimal digits")
    panel.locator("[name=sha256]").fill(RELEASE["sha256"])
    panel.locator("[name=archive]").select_option("tar")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator("[data-problem=member]")).to_contain_text("must name the program")
    expect(panel.locator("[data-problem=sha256]")).to_have_text("")
    panel.locator("[name=member]").fill(RELEASE["member"])
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".releases tbody tr")).to_contain_text(RELEASE["sha256"])


def add_software(page: Page) -> None:
    page.get_by_text("Add or change software").click()
    form, panel = page.locator("#own-form"), page.locator("[data-software=own]")
    form.locator("[name=name]").fill("own")
    form.locator("[name=homepage]").fill("javascript:alert(1)")
    form.locator("[name=arguments]").fill("--url\n{{ pool.url")
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem=arguments]")).to_contain_text("{{ pool.url")
    form.locator("[name=arguments]").fill('["--url", "{{ pool.url }}"]\n--x')
    form.get_by_role("button", name="Save").click()
    expect(panel.locator("pre")).to_have_text('["--url","{{ pool.url }}"]\n--x')
    expect(panel.get_by_role("link")).to_have_count(0)
    panel.get_by_role("button", name="Edit").click()
    form.get_by_label("gpu").check()
    form.get_by_role("button", name="Save").click()
    expect(panel.locator("header")).to_contain_text("cpu and gpu")
    panel.get_by_role("button", name="Remove").click()
    expect(panel).to_have_count(0)


def test_what_is_used_cannot_be_removed_and_says_so(page: Page, rigs: Rigs, complaints: list[str]) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/templates")
    page.locator("#pool-list").get_by_role("button", name="Remove").click()
    expect(page.locator("#pool-said")).to_contain_text("playbook cpu")
    page.goto("/software")
    page.locator("[data-software=xmrig]").get_by_role("button", name="Remove").click()
    expect(page.locator("[data-software=xmrig] .said")).to_have_text("xmrig 6.22.2 is used by playbook cpu")
    page.goto("/templates")
    complaints.clear()  # the refusal
    page.locator("#pool-list").get_by_role("button", name="Edit").click()
    page.locator("#pool-form [name=urls]").fill("pool.example:5555")
    page.locator("#pool-form").get_by_role("button", name="Save").click()
    expect(page.locator("#pool-said")).to_contain_text("issued again")
    page.goto("/playbooks/cpu")
    expect(page.locator("[data-node=attic-1] pre")).to_contain_text("stratum+tcp://pool.example:5555")
    page.get_by_role("button", name="Remove this playbook").click()
    expect(page.locator("#saved")).to_contain_text("It is removed.")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("#version")).to_have_text("version 3")


def test_a_reader_looks_and_changes_nothing(browser: Browser, farm: WebFarm, rigs: Rigs) -> None:
    key = farm.api.post("/api/v1/keys", json={"name": "looker", "role": "reader"}).json()["key"]
    context = browser.new_context(base_url=farm.url, viewport={"width": 360, "height": 700})
    try:
        page = context.new_page()
        for role, paths in (
            (key, ["playbooks", "playbooks/cpu", "templates", "software", "rollouts", "miners/attic-1"]),
            (KEY, ["playbooks", "playbooks/cpu", "templates", "software", "rollouts", "audit"]),
        ):
            page.goto(f"/?key={role}")
            for path in paths:
                page.goto(f"/{path}")
                expect(page.locator("#connection")).to_have_attribute("data-state", "live")
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
                if role == key:
                    for name in ("Save", "Remove", "New playbook", "Continue", "Edit", "restart"):
                        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        headers = {"Authorization": f"Bearer {key}"}
        shown = farm.api.get("/api/v1/mining/miners/attic-1", headers=headers).json()["playbooks"]["desired"]["data"]
        assert "args" not in json.dumps(shown), "they hold passwords of pools"
        assert farm.api.get("/audit", headers=headers).status_code == 403
    finally:
        context.close()
