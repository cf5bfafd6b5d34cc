"""Bags of limited size: each plays on its own and nothing is lost between them."""

import pytest
from rosbags.typesys import Stores, get_typestore

from mav_perception.errors import DataError
from mav_perception.io.bags import BagReader, BagWriter

STORE = get_typestore(Stores.LATEST)


def text(content):
    return bytes(
        STORE.serialize_cdr(STORE.types['std_msgs/msg/String'](content), 'std_msgs/msg/String')
    )


def said(folder):
    reader = BagReader(folder)
    messages = [(m.topic, reader.decoded(m).data) for m in reader.messages()]
    latched = reader.latched
    reader.close()
    return messages, latched


def test_a_bag_that_is_full_is_followed_by_the_next(tmp_path):
    writer = BagWriter(tmp_path / 'bag', split_bytes=150)
    writer.add_topic('/map', 'std_msgs/msg/String', latched=True, reliable=True)
    writer.add_topic('/pose', 'std_msgs/msg/String', latched=False, reliable=True)
    writer.write('/map', text('old'), 10)
    writer.write('/map', text('new'), 11)
    for k in range(30):
        writer.write('/pose', text(f'pose {k:03}'), 20 + k)
    writer.close()
    parts = [tmp_path / 'bag', *sorted(tmp_path.glob('bag_*'))]
    assert len(parts) > 2
    poses = []
    for part in parts:
        messages, latched = said(part)
        assert latched == {'/map'}
        assert ('/map', 'new') in messages[: 2 if part == parts[0] else 1]
        poses += [data for topic, data in messages if topic == '/pose']
    assert poses == [f'pose {k:03}' for k in range(30)]


def test_one_message_that_is_larger_than_a_bag_is_written_all_the_same(tmp_path):
    writer = BagWriter(tmp_path / 'bag', split_bytes=100)
    writer.add_topic('/pose', 'std_msgs/msg/String', latched=False, reliable=True)
    for k in range(3):
        writer.write('/pose', text(str(k) * 500), 20 + k)
    writer.close()
    assert len(list(tmp_path.iterdir())) == 3


def test_the_next_bag_does_not_replace_one_that_is_there(tmp_path):
    writer = BagWriter(tmp_path / 'bag', split_bytes=100)
    writer.add_topic('/pose', 'std_msgs/msg/String', latched=False, reliable=True)
    writer.write('/pose', text('a' * 90), 20)
    (tmp_path / 'bag_1').mkdir()  # somebody else's, since the recording began
    for k, letter in enumerate('bc'):
        with pytest.raises(DataError, match='bag_1 exists'):
            writer.write('/pose', text(letter * 90), 21 + k)
    (tmp_path / 'bag_1').rmdir()
    writer.write('/pose', text('d' * 90), 23)
    writer.close()
    assert [data[0] for _, data in said(tmp_path / 'bag')[0]] == ['a', 'b', 'c']  # nothing lost
    assert [data[0] for _, data in said(tmp_path / 'bag_1')[0]] == ['d']


def test_what_a_longer_recording_left_is_no_part_of_the_new_one(tmp_path):
    for overwrite in (False, True):
        writer = BagWriter(tmp_path / 'bag', overwrite, split_bytes=100)
        writer.add_topic('/pose', 'std_msgs/msg/String', latched=False, reliable=True)
        for k in range(1 if overwrite else 3):
            writer.write('/pose', text('a' * 90), 20 + k)
        writer.close()
    assert [folder.name for folder in tmp_path.iterdir()] == ['bag']
    (tmp_path / 'bag_1').mkdir()
    with pytest.raises(DataError, match='bag_1 exists'):  # at once, not after hours
        BagWriter(tmp_path / 'bag', overwrite=True, split_bytes=100)
