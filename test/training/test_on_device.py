"""Crops made in batches on a device are those of the CPU, to a grey level."""

import random
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from mav_perception.errors import ConfigurationError  # noqa: E402
from mav_perception.training import augmentation, distractors  # noqa: E402
from mav_perception.training.augmentation import LabelledImage, choose  # noqa: E402
from mav_perception.training.copy_paste import CutOut, choose_pasting, cut_out_targets  # noqa: E402
from mav_perception.training.datasets import LabelledFolder, TrainingCrops  # noqa: E402
from mav_perception.training.exposure import expose  # noqa: E402
from mav_perception.training.on_device import clutter, exposing  # noqa: E402
from mav_perception.training.on_device.crops import DeviceCrops  # noqa: E402
from mav_perception.training.on_device.pasting import CutOutStore  # noqa: E402
from mav_perception.training.on_device.pixels import PixelStore  # noqa: E402
from mav_perception.training.trainer import Trainer  # noqa: E402

DEVICES = ['cpu', *(['cuda'] if torch.cuda.is_available() else [])]
CROPS = list(range(64))


class Scenes(LabelledFolder):
    """Ten smooth images of different sizes with a square target each."""

    def __init__(self, channels=1):
        rng = np.random.default_rng(0)
        self.pictures, self.cut_outs, self.problems = [], [], []
        for index in range(10):
            rows, columns = 96 + 8 * index, 128 - 4 * index
            coarse = rng.uniform(20, 120, (rows // 8 + 1, columns // 8 + 1, channels))
            image = coarse.repeat(8, axis=0).repeat(8, axis=1)[:rows, :columns]
            labels = np.zeros((rows, columns), np.uint8)
            row, column = rng.integers(10, 50, 2)
            image[row : row + 24, column : column + 30] = 200.0 + 4 * index
            labels[row : row + 24, column : column + 30] = 1
            labels[:, :4] = 255
            image = np.squeeze(image.astype(np.uint8))
            self.pictures.append(LabelledImage.of(image, labels))
            self.cut_outs += cut_out_targets(image, labels)


@pytest.fixture
def settings(configuration, monkeypatch):
    for module in (augmentation, clutter, distractors):
        monkeypatch.setattr(module, 'VARIETY', 40)
    return replace(
        configuration, crop=(64, 80), crops_per_image=7, zoom=(0.5, 1.6), pasted=1.0, clutter=1.5,
        target_crops=0.6, upside_down=True,
    )  # fmt: skip


@pytest.fixture(params=DEVICES)
def device(request):
    return torch.device(request.param)


def both(settings, device, channels=1):
    source = Scenes(channels)
    settings = replace(settings, channels=channels)
    pair = TrainingCrops(source, settings), DeviceCrops(source, settings, device)
    for crops in pair:
        crops.epoch = 3
    (images, labels), (others, same) = (crops.batch(CROPS) for crops in pair)
    return images, labels, others.cpu(), same.cpu()


@pytest.mark.parametrize(('lens', 'channels'), [(0.0, 1), (0.0, 3), (120.0, 1)])
def test_the_same_crop_is_shown(settings, device, lens, channels, monkeypatch):
    plain = {'blur': 0.0, 'motion': None, 'noise': 0.0, 'quality': 0}

    def without_noise(*arguments):
        chosen = choose(*arguments)
        return replace(chosen, exposure=replace(chosen.exposure, **plain))

    for module in ('datasets', 'on_device.crops'):
        monkeypatch.setattr(f'mav_perception.training.{module}.choose', without_noise)
    settings = replace(settings, lens_degrees=lens)
    images, labels, others, same = both(settings, device, channels)
    assert images.shape == others.shape == (64, channels, 64, 80)
    apart = (images - others).abs() * 0.25 * 255.0
    # The CPU interpolates the map of a lens between every eighth pixel.
    assert float(apart.mean()) < (1.5 if lens else 1.0)
    assert float((apart > 12.0).float().mean()) < 0.02  # a rim of what is pasted
    assert float((labels != same).float().mean()) < (0.02 if lens else 0.01)
    assert set(same.unique().tolist()) == {0, 1, 255}


@pytest.mark.parametrize('channels', [1, 3])
def test_light_changes_alike(settings, device, channels):
    source = Scenes(channels)
    shape = (64, 80) if channels == 1 else (64, 80, 3)
    image = np.random.default_rng(1).integers(0, 255, (8, 10, channels), dtype=np.uint8)
    image = image.repeat(8, axis=0).repeat(8, axis=1).reshape(shape)
    settings = replace(settings, saturation=0.5, colour=0.1)
    kinds = set()
    for seed in range(60):
        chosen = choose(source.pictures[0], settings, 0, (seed,)).exposure
        chosen = replace(chosen, noise=0.0)
        expected = expose(image, chosen).reshape(*shape[:2], channels)
        tensor = torch.from_numpy(image.reshape(*shape[:2], channels)).float().permute(2, 0, 1)
        noise = torch.Generator(device).manual_seed(0)
        got = exposing.expose(tensor[None].to(device), [chosen], noise)[0].permute(1, 2, 0)
        apart = np.abs(got.cpu().numpy() - expected)
        # Encoders of JPEG differ in how they average colours.
        assert apart.mean() < (3.0 if chosen.quality and channels == 3 else 1.3), chosen
        used = {name: getattr(chosen, name) for name in ('blur', 'motion', 'cover', 'quality')}
        kinds |= {name for name, value in used.items() if value is not None and np.any(value)}
    assert kinds == {'blur', 'motion', 'cover', 'quality'}


def test_both_paths_have_the_same_statistics(settings, device):
    images, labels, others, same = both(settings, device)
    for one, other in ((images, others), (labels == 1, same == 1), (labels == 255, same == 255)):
        one, other = one.float(), other.float()
        assert float(other.mean()) == pytest.approx(float(one.mean()), abs=0.02)
        assert float(other.std()) == pytest.approx(float(one.std()), rel=0.03)
    edges, others = (x.diff(dim=-1).abs().mean() for x in (images, others))
    assert float(others) == pytest.approx(float(edges), rel=0.05)


def test_pixels_between_two_images_are_not_mixed(device):
    images = [(np.full((3, 5), 10, np.uint8),), (np.full((4, 2), 250, np.uint8),)]
    store = PixelStore.of(images, device)
    where = torch.tensor([[[4.4, 2.0], [9.0, 0.0]]], device=device)[None].repeat(2, 1, 1, 1)
    at, zoom = torch.tensor([0, 1], device=device), torch.ones(2, device=device)
    assert store.sample(at, where, zoom)[0, 0, 0].tolist() == pytest.approx([6.0, 0.0])
    assert store.sample(at, where, zoom, clamp=True)[:, 0, 0].tolist() == [[10, 10], [250, 250]]
    assert store.nearest(at, where, 7)[:, 0].tolist() == [[10, 7], [7, 7]]


@pytest.mark.parametrize('backgrounds', [False, True])
def test_a_run_on_the_device_learns_mines_and_resumes(
    settings, configuration, tmp_path, backgrounds
):
    plain = replace(
        configuration, crops_on='device', mine_every=5, hard_crops=0.3, epochs=25,
        validate_every=25, clutter=0.5, pasted=0.5,
        backgrounds=f'{configuration.train}/images' if backgrounds else '', background_share=0.2,
    )  # fmt: skip
    whole = Trainer(plain, tmp_path / 'whole', resume=False)
    whole.run()
    assert whole.best_iou > (0.0 if backgrounds else 0.4)  # these backgrounds show the target
    cut = Trainer(plain, tmp_path / 'cut', resume=False)
    cut._out_of_patience = lambda: cut.epoch == 11
    cut.run()
    resumed = Trainer(plain, tmp_path / 'cut', resume=True)
    assert resumed.epoch == 11
    resumed.run()
    for name, value in resumed._average.network.state_dict().items():
        expected = whole._average.network.state_dict()[name]
        torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(ConfigurationError, match='other settings'):
        Trainer(replace(plain, crops_on='cpu'), tmp_path / 'cut', resume=True)


def test_a_large_target_pasted_small_does_not_alias(settings, device):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (600, 600), dtype=np.uint8)
    target = CutOut(image, np.ones((600, 600), np.uint8))
    chosen = choose_pasting(1, random.Random(1))
    chosen = replace(chosen, longest=16.0, decoy=False, gain=1.0, degrees=0.0)
    ground, labels = torch.full((1, 1, 64, 80), 127.0), torch.zeros((1, 64, 80), dtype=torch.int64)
    ground, labels = ground.to(device), labels.to(device)
    CutOutStore([target], device).paste(ground, labels, [0], [chosen])
    assert int((labels == 1).sum()) > 200
    assert float(ground[0, 0][labels[0] == 1].std()) < 2.5
