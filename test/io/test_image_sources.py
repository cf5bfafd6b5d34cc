"""Images of several sources: each under a name of its own, whatever the containers say."""

import cv2
import numpy as np
import pytest

from mav_perception.errors import DataError
from mav_perception.io.image_sources import ImageSources


def sources(*paths):
    return ImageSources([str(path) for path in paths])


def write_image(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 9), value, np.uint8))


@pytest.fixture
def film(tmp_path):
    """Return a video of three frames."""
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (0, 100, 200):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    return path


def test_a_folder_gives_its_images_by_name(tmp_path):
    for name, value in (('b.jpg', 2), ('a.png', 1)):
        write_image(tmp_path / name, value)
    (tmp_path / 'notes.txt').write_text('no image')
    source = sources(tmp_path)
    assert source.length == 2
    assert [item.name for item in source] == ['a', 'b']


def test_a_broken_file_does_not_end_the_folder(tmp_path):
    write_image(tmp_path / 'b.png', 7)
    (tmp_path / 'a.png').write_bytes(b'not a png')
    source = sources(tmp_path)
    assert [item.name for item in source] == ['b']
    assert 'a.png' in source.broken[0]


def test_several_sources_and_patterns_keep_every_image_under_its_own_name(tmp_path, film):
    for name in ('one/front.png', 'two/front.png', 'two/front.jpg', 'three/deep/rear.png'):
        write_image(tmp_path / name, 5)
    source = sources(tmp_path / 'one', tmp_path / 't*' / '*.*', tmp_path / '**' / 'rear.png', film)
    assert source.length == 7
    names = [item.name for item in source]
    assert names[:4] == ['front', 'front_2', 'front_3', 'rear']
    assert len(set(names)) == len(names) == 7


def test_a_video_gives_its_frames(film):
    frames = list(sources(film))
    assert [f.name for f in frames] == [f'film_{k:06d}' for k in range(3)]
    assert frames[2].image.mean() == pytest.approx(200, abs=3)


def test_a_video_whose_container_lies_about_its_length_is_read_to_its_end(film):
    data = film.read_bytes()
    lying = film.with_name('lying.avi')
    lying.write_bytes(data.replace((3).to_bytes(4, 'little'), (90).to_bytes(4, 'little'), 2))
    source = sources(lying)
    assert source.length == 90
    assert len(list(source)) == 3
    assert '3 frames could be read, its container says 90' in source.notices[0]


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('nothing', 'does not exist'),
        ('nothing*.png', 'does not exist'),
        ('empty', 'No images'),
        ('note.avi', 'no video'),
    ],
)
def test_what_is_no_source_is_named(tmp_path, name, text):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'note.avi').write_bytes(b'not a film')
    with pytest.raises(DataError, match=text):
        sources(tmp_path / name)


@pytest.mark.parametrize('address', ['99', 'rtsp://127.0.0.1:9/none'])
def test_a_camera_or_stream_that_is_not_there_is_named(address):
    with pytest.raises(DataError, match=f'{address} is no image, and no video, camera'):
        sources(address)


def test_a_link_that_leads_nowhere_is_left_out_and_named(tmp_path):
    write_image(tmp_path / 'a.png', 3)
    (tmp_path / 'b.png').symlink_to(tmp_path / 'gone.png')
    source = sources(tmp_path / '*.png')
    assert [item.name for item in source] == ['a']
    assert 'b.png' in source.broken[0]


def test_what_is_neither_file_nor_folder_is_named():
    with pytest.raises(DataError, match='/dev/null is no image'):
        sources('/dev/null')
