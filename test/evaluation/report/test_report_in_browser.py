"""The report in a real browser: nothing is wrong on the console, and every picture is drawn."""

import shutil
import time

import pytest

pytest.importorskip('selenium', reason='a browser is driven by selenium')
pytest.importorskip('bokeh', reason='plots to zoom need Bokeh')

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from mav_perception.cli import main

CHROMIUM, DRIVER = shutil.which('chromium'), shutil.which('chromedriver')

DRAWN = """
const roots = [document];
for (const root of roots)
    for (const element of root.querySelectorAll('*'))
        if (element.shadowRoot) roots.push(element.shadowRoot);
const canvases = roots.flatMap(root => [...root.querySelectorAll('canvas')]);
return {
    images: document.images.length,
    broken: [...document.images].filter(i => !(i.complete && i.naturalWidth)).length,
    plots: canvases.filter(c => c.width && c.height).length,
    wide: document.documentElement.scrollWidth,
    width: window.innerWidth,
};
"""


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """Return the report of a simulated flight."""
    from mav_perception.evaluation.association_log import AssociationLog
    from mav_perception.evaluation.playback import play
    from mav_perception.evaluation.report.playback_record import record_playback
    from mav_perception.evaluation.report.run_record import save_run
    from mav_perception.localization.coupled_pda import CoupledPdaFilter
    from mav_perception.simulation.flight.flight import fly, matching_parameters
    from mav_perception.simulation.flight.scenario import Scenario

    scenario = Scenario(drones=3, duration=8.0, seed=1)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    associations = AssociationLog(3)
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    estimate = play(recording, joint_filter, saw=associations.saw)
    folder = tmp_path_factory.mktemp('run')
    save_run(record_playback('3 drones', recording, estimate, associations, parameters), folder)
    assert main(['evaluate', 'run', str(folder), '--report', str(folder / 'page.html')]) == 0
    return folder / 'page.html'


@pytest.fixture
def browser():
    """Return a headless Chromium."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip('apt install chromium chromium-driver')
    options = Options()
    options.binary_location = CHROMIUM
    for option in ('--headless=new', '--no-sandbox', '--disable-dev-shm-usage'):
        options.add_argument(option)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.parametrize('width', [1200, 400])
def test_every_picture_is_drawn_and_nothing_is_wrong(browser, page, width):
    browser.execute_cdp_cmd(
        'Emulation.setDeviceMetricsOverride',
        {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': False},
    )
    browser.get(f'file://{page}')
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        drawn = browser.execute_script(DRAWN)
        if drawn['plots'] >= 14 and not drawn['broken']:
            break
        time.sleep(0.2)
    assert drawn['images'] >= 5
    assert drawn['broken'] == 0
    assert drawn['plots'] >= 14  # map, timeline, four coordinates of three drones
    assert drawn['wide'] <= drawn['width'] == width
    wrong = [line for line in browser.get_log('browser') if line['level'] != 'INFO']
    assert wrong == []
