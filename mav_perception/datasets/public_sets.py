"""Public data sets: where each comes from, and whether a download is what our figures used.

None of them may be redistributed, so the user downloads them; what is checked are the numbers in
the tables, whatever their line ends or spaces.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mav_perception.io.tables import read_table
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class PublicSet:
    """A data set of other people.

    Attributes:
        title: what it is.
        addresses: official pages to download from.
        terms: what may be done with it.
        steps: what to download and to give to `dataset fetch`.
    """

    title: str
    addresses: tuple[str, ...]
    terms: str
    steps: str


PUBLIC_SETS = {
    'mrclam': PublicSet(
        'UTIAS MR.CLAM: five ground robots, odometry, range and bearing, Vicon truth',
        ('http://asrl.utias.utoronto.ca/datasets/mrclam/',),
        'research data, no licence file; cite Leung et al., IJRR 30(8), 2011',
        'Download MRCLAM_Dataset6.zip (or another of the nine), unpack it, and give its folder.',
    ),
    'euroc': PublicSet(
        'EuRoC machine hall: real VIO output and true paths, to be flown as a team',
        (
            'https://projects.asl.ethz.ch/datasets/doku.php?id=kmavvisualinertialdatasets',
            'https://github.com/rpng/open_vins (ov_data/euroc_mav: the true paths as tables)',
            'https://github.com/uzh-rpg/rpg_trajectory_evaluation (results: the VIO outputs)',
        ),
        'EuRoC: ETH, cite Burri et al., IJRR 35(10), 2016; the VIO outputs: MIT',
        'Clone both repositories into one folder and give that folder. In place of the tables of '
        'open_vins the state_groundtruth_estimate0/data.csv of each flight will do.',
    ),
    'perch_drone': PublicSet(
        'MAVNet: indoor flights, grey fisheye images, the class is other drones',
        ('https://github.com/tynguyen/MAVNet',),
        'published for research, no licence file; cite Nguyen et al., arXiv 1904.01795',
        'Clone the repository and give its folder of drone sequences: each has images and masks.',
    ),
}

FINGERPRINTS = {
    'mrclam6/Barcodes': 'd3464143481f852b',
    'mrclam6/Landmark_Groundtruth': '7a5c36ece5b241d1',
    'mrclam6/Robot1_Groundtruth': 'db44abb0a551791f',
    'mrclam6/Robot1_Measurement': 'f6cff50ee4116914',
    'mrclam6/Robot1_Odometry': '486254b038b0eb40',
    'mrclam6/Robot2_Groundtruth': 'c0e54313b264d2c8',
    'mrclam6/Robot2_Measurement': '9c1cf3d36f10b85a',
    'mrclam6/Robot2_Odometry': '3feba7b443970a21',
    'mrclam6/Robot3_Groundtruth': '877104acf60b8282',
    'mrclam6/Robot3_Measurement': '0b631e696e9b693d',
    'mrclam6/Robot3_Odometry': 'd3a27c159e14bfa2',
    'mrclam6/Robot4_Groundtruth': '193d557245a16775',
    'mrclam6/Robot4_Measurement': '307f37f72d334359',
    'mrclam6/Robot4_Odometry': '4d5d20b43f1691c2',
    'mrclam6/Robot5_Groundtruth': 'c407f8ac840660cf',
    'mrclam6/Robot5_Measurement': 'eb061cc88e841b93',
    'mrclam6/Robot5_Odometry': 'd14729114741dee9',
    'euroc/MH_01_truth': 'f3cc1b69e05600dd',
    'euroc/MH_01_vio_mono': '38c7eece6b0e7112',
    'euroc/MH_01_vio_stereo': 'c752eacff583208a',
    'euroc/MH_03_truth': 'dfa3c5f38bea8fa4',
    'euroc/MH_03_vio_mono': 'f6295ba9be9ec59b',
    'euroc/MH_03_vio_stereo': '9fb6f7e7c241ba81',
    'euroc/MH_05_truth': 'b74e745e0f81eebd',
    'euroc/MH_05_vio_mono': '12f96533eb26b9bd',
    'euroc/MH_05_vio_stereo': '9c810a075a8f6ee7',
}
"""Table -> the first digits of the SHA-256 of its numbers, of those that our figures used."""


def fingerprint(table: FloatArray) -> str:
    """Return the first digits of the SHA-256 of the numbers of a table."""
    return hashlib.sha256(table.astype('<f8').tobytes()).hexdigest()[:16]


def compare_with_ours(prefix: str, folder: Path, suffix: str) -> tuple[list[str], list[str]]:
    """Hold the tables of a folder against those that our figures used.

    Args:
        prefix: of their names in `FINGERPRINTS`, such as 'mrclam6/'.
        folder: of the tables.
        suffix: of the files, such as 'dat'.

    Returns:
        names of the tables that are the same, and of those that are others.

    Raises:
        DataError: a table is missing or broken.
    """
    same: list[str] = []
    other: list[str] = []
    for name, known in FINGERPRINTS.items():
        if name.startswith(prefix):
            table = name.removeprefix(prefix)
            _, numbers = read_table(folder, table, suffix, 'download the set again.')
            (same if fingerprint(numbers) == known else other).append(table)
    return same, other
