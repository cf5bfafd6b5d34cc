"""The shared-memory profile of Fast DDS that images need, under the name that this one reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from mav_perception.resources import find_share

VARIABLES = {
    'libfastdds.so': 'FASTDDS_DEFAULT_PROFILES_FILE',
    'libfastrtps.so': 'FASTRTPS_DEFAULT_PROFILES_FILE',
}
"""Library -> variable: Fast DDS 3 (Kilted and later), Fast DDS 2 (Jazzy and before)."""

BEFORE_3 = ('humble', 'iron', 'jazzy')


def profile_variable(environment: Mapping[str, str]) -> str:
    """Return the variable that the Fast DDS of this ROS reads: another one does nothing."""
    prefixes = environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in (*filter(None, prefixes), sys.prefix):
        for library, variable in VARIABLES.items():
            if any(Path(prefix, 'lib').glob(f'{library}*')):
                return variable
    old = environment.get('ROS_DISTRO', '') in BEFORE_3
    return VARIABLES['libfastrtps.so' if old else 'libfastdds.so']


def use_shipped_profile(environment: MutableMapping[str, str]) -> None:
    """Have the nodes started in an environment take images; a profile of the user's stays."""
    environment.setdefault(
        profile_variable(environment), str(find_share('config', 'fastdds_shm.xml'))
    )
