"""The animation of the README: a flight from unknown starts, seen by its cameras and from above.

Images are rendered and segmented twice: once for the filter, once, at the moments that are shown,
to be drawn with what the filter took every sighting for.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from tqdm import tqdm

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.flight.camera_pictures import camera_picture
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.playback import Estimate, play
from mav_perception.evaluation.report.plots import ellipse_of
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.update.report import UpdateReport
from mav_perception.recordings.recording import LabelledFrame, Recording, sample_truth
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.world import SimulatedWorld

SCENARIO, SEED, MODEL = 'unknown4', 0, 'sim'
PERIOD = 1.0
"""Seconds between two pictures, in flight as in the animation."""

SIZE, CAMERA = (830, 396), 236
GREYS = 16
TINTS = 1.0, 0.6, 0.3
"""How strong the colours of the drones are on white."""

RINGS = (40, 220, 60), (150, 220, 160)
MASKED = 30, 60, 90, 120
"""Greys under the masks of drones."""

LARGEST = 2_000_000
TAIL = 40
"""Frames of the team that a track shows."""


def animate(path: Path) -> None:
    """Fly, and write the animation; it may not exceed `LARGEST` bytes."""
    scenario = load_scenario(SCENARIO, seed=SEED)
    recording, parameters = SensorSetup(model=MODEL).fly(scenario)
    taken: dict[tuple[int, int], AssociatedFrame] = {}

    def saw(frame: LabelledFrame, report: UpdateReport | None) -> None:
        seen = frame.sightings
        observer = recording.team.names.index(seen.observer)
        # Of a frame whose observer has no pose yet, nobody has said who is seen.
        origin = report.best_associations()[0] if report else np.zeros(0, np.int64)
        mount = recording.team.mounts[observer][0]
        taken[seen.stamp_ns, observer] = AssociatedFrame(
            seen.stamp_ns, observer, mount, seen.positions[: len(origin)], origin, 0.0, 0
        )

    estimate = play(recording, CoupledPdaFilter(recording.team, parameters), saw=saw)
    pictures = _pictures(scenario, recording, estimate, taken)
    palette = _palette(scenario.drones)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=round(1e3 * PERIOD), loop=0,
        optimize=True,
    )  # fmt: skip
    if path.stat().st_size > LARGEST:
        raise SystemExit(f'{path} has {path.stat().st_size} bytes, more than {LARGEST}.')


def _palette(drones: int) -> Image.Image:
    """Return greys, and the colours of the drones and of what is drawn on images."""
    colours = [np.full(3, level) for level in np.linspace(0.0, 255.0, GREYS)]
    for drone in range(drones):
        colour = 255.0 * np.array(to_rgb(f'C{drone}'))
        colours += [tint * colour + (1.0 - tint) * 255.0 for tint in TINTS]
    colours += [np.array(colour) for colour in RINGS]
    space = load_card(find_model(MODEL)).label_space
    for level in MASKED:
        colours.append(
            space.overlay(np.full((1, 1), level, np.uint8), np.ones((1, 1), np.uint8))[0, 0]
        )
    palette = Image.new('P', (1, 1))
    palette.putpalette(np.round(colours).astype(np.uint8).tobytes())
    return palette


def _pictures(
    scenario: Scenario,
    recording: Recording,
    estimate: Estimate,
    taken: dict[tuple[int, int], AssociatedFrame],
) -> list[Image.Image]:
    """Return what the animation shows, picture by picture."""
    world, segmenter = SimulatedWorld(scenario), Segmenter.load(MODEL, 1)
    begin = recording.begin_ns
    cameras: dict[int, Image.Image] = {}
    pictures, due = [], PERIOD
    for index in tqdm(range(1, len(world.times)), desc='animation'):
        for shot in world.tick(index).shots:
            if shot.time < due - 1.0 / scenario.frame_rate:
                continue
            image = world.render(shot)
            frame = taken.get((shot.stamp_ns + begin, shot.drone))
            if frame is not None:
                segmenter.reset()
                cameras[shot.drone] = _camera(scenario, segmenter, image, frame, shot.camera)
        if world.times[index] >= due:
            pictures.append(_together(recording, estimate, cameras, world.times[index]))
            due += PERIOD
    return pictures


def _camera(
    scenario: Scenario, segmenter: Segmenter, image: Any, frame: AssociatedFrame, camera: int
) -> Image.Image:
    mask = segmenter.segment(image)
    picture = camera_picture(
        image, mask.labels, segmenter.card.label_space, scenario.cameras[camera].intrinsics,
        frame, scenario.names, '', CAMERA,
    )  # fmt: skip
    return Image.open(io.BytesIO(picture.jpeg))


def _together(
    recording: Recording, estimate: Estimate, cameras: dict[int, Image.Image], time: float
) -> Image.Image:
    """Put the cameras at the left and the map at the right."""
    names = recording.team.names
    sheet = Image.new('RGB', SIZE, 'white')
    for drone, picture in cameras.items():
        place = 4 + (drone % 2) * (CAMERA + 4), 4 + (drone // 2) * 197
        sheet.paste(picture, place)
        ImageDraw.Draw(sheet).text((place[0] + 4, place[1] + 2), names[drone], 'white')
    figure = _map(recording, estimate, time)
    figure.canvas.draw()
    above = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])  # type: ignore[attr-defined]
    pyplot.close(figure)
    sheet.paste(above, (486, 12))
    return sheet


def _map(recording: Recording, estimate: Estimate, time: float) -> Figure:
    """Draw truth (wide) and estimate with 3 sigma, of the drones whose pose is published."""
    figure, axes = pyplot.subplots(figsize=(3.5, 3.6), dpi=100)
    stamp = recording.begin_ns + round(1e9 * time)
    last = int(np.searchsorted(estimate.stamps, stamp, side='right')) - 1
    first = max(0, last - TAIL)
    truth = sample_truth(recording, estimate.stamps[first : last + 1])
    for drone, name in enumerate(recording.team.names):
        colour = f'C{drone}'
        axes.plot(*truth[:, drone, :2].T, color=colour, lw=4.0, alpha=0.3)
        shown = estimate.localized[first : last + 1, drone]
        path = np.where(shown[:, None], estimate.means[first : last + 1, drone, :2], np.nan)
        axes.plot(*path.T, color=colour, lw=1.2)
        if last >= 0 and shown[-1]:
            state = estimate.states[last]
            ellipse = ellipse_of(state.block(drone)[:2, :2], state.mean[drone, :2])
            ellipse.set(facecolor=colour, edgecolor=colour, alpha=0.4)
            axes.add_patch(ellipse)
            axes.annotate(name, tuple(state.mean[drone, :2]), fontsize=8, color=colour)
    found = int(estimate.localized[last].sum()) if last >= 0 else 0
    axes.set_title(f'{time:4.1f} s: {found} of {len(recording.team.names)} localized', fontsize=9)
    axes.set(xlim=(-8, 8), ylim=(-8, 8), aspect='equal')
    axes.tick_params(labelsize=7)
    figure.tight_layout()
    return figure
