from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.farm import KEY, WebFarm
from tests.web.mining import MiningFarm


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebFarm]:
    farm = WebFarm(tmp_path_factory.mktemp("web") / "state")
    yield farm
    farm.stop()


@pytest.fixture
def context(browser: Browser, farm: WebFarm) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=farm.url)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page that is logged in; fails the test for whatever the console complains of."""
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: line.type in ("error", "warning") and complaints.append(line.text))
    page.goto(f"/?key={KEY}")
    yield page
    assert complaints == []


@pytest.fixture(scope="module")
def mining(farm: WebFarm) -> MiningFarm:
    return MiningFarm(farm)
