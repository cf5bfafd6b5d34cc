"""Which ROS domains are in use on this machine, found without ROS.

A DDS participant binds UDP ports that its domain and its own number give (DDSI-RTPS 2.5, 9.6.2.3):
7400 + 250 * domain + 10 + 2 * participant.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from mav_perception.errors import ConfigurationError

FIRST_PORT, PER_DOMAIN, UNICAST, PER_PARTICIPANT = 7400, 250, 10, 2
PARTICIPANTS = 20
"""So many are looked for; each takes the first number that is free."""

DOMAINS, HIGHEST = 101, 232
"""Domains to 101 have their ports below those that Linux hands out to anybody; 232 is the last."""


def domain_in_use(domain: int) -> bool:
    """Tell whether a process of this machine takes part in a domain."""
    first = FIRST_PORT + PER_DOMAIN * domain + UNICAST
    ports = range(first, first + PER_PARTICIPANT * PARTICIPANTS, PER_PARTICIPANT)
    return any(_is_bound(port) for port in ports)


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def free_domain(environment: Mapping[str, str]) -> tuple[int, str]:
    """Return a domain that nobody of this machine uses, and what to say of it.

    Args:
        environment: whose ROS_DOMAIN_ID is taken if it is set and free.

    Raises:
        ConfigurationError: ROS_DOMAIN_ID is no domain, or all are in use.
    """
    given = environment.get('ROS_DOMAIN_ID', '')
    if given and not (given.isdecimal() and int(given) <= HIGHEST):
        raise ConfigurationError(
            f'ROS_DOMAIN_ID is {given!r}: set a number from 0 to {HIGHEST}, or unset it.'
        )
    if given and not domain_in_use(int(given)):
        return int(given), ''
    for step in range(DOMAINS):
        domain = 1 + (os.getpid() + step) % DOMAINS
        if not domain_in_use(domain):
            said = f'ROS_DOMAIN_ID {given} is in use on this machine: taking {domain}.'
            return domain, said if given else ''
    raise ConfigurationError('All ROS domains are in use on this machine: end some nodes.')
