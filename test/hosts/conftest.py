"""Hosts as network namespaces, joined by veth pairs to a bridge in a namespace of its own."""

import os
import signal
import subprocess
import time
import uuid

import pytest


def run(*command):
    """Run a command as root and return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Network:
    """A switch and the hosts on it; all processes end with it."""

    def __init__(self, hosts, environment):
        """Make the namespaces; each host gets the address 10.77.0.N."""
        self._tag = f'mav{uuid.uuid4().hex[:5]}'
        self._environment = environment
        self._processes = {host: [] for host in hosts}
        self._switch = f'{self._tag}_switch'
        run('ip', 'netns', 'add', self._switch)
        self._in(self._switch, 'ip', 'link', 'add', 'bridge', 'type', 'bridge')
        # A bridge that snoops would not flood the multicast of discovery without a querier.
        self._in(
            self._switch, 'ip', 'link', 'set', 'bridge', 'type', 'bridge', 'mcast_snooping', '0'
        )
        self._in(self._switch, 'ip', 'link', 'set', 'bridge', 'up')
        for number, host in enumerate(hosts, 1):
            space = self.space(host)
            run('ip', 'netns', 'add', space)
            run(
                'ip', 'link', 'add', 'eth0', 'netns', space, 'type', 'veth', 'peer', 'name', host,
                'netns', self._switch,
            )  # fmt: skip
            self._in(self._switch, 'ip', 'link', 'set', host, 'master', 'bridge', 'up')
            self._in(space, 'ip', 'addr', 'add', f'10.77.0.{number}/24', 'dev', 'eth0')
            self._in(space, 'ip', 'link', 'set', 'eth0', 'up')
            self._in(space, 'ip', 'link', 'set', 'lo', 'up')

    def space(self, host):
        """Return the name of a host's namespace."""
        return f'{self._tag}_{host}'

    def start(self, host, command, log):
        """Start a process on a host."""
        with log.open('ab') as out:
            process = subprocess.Popen(
                ['ip', 'netns', 'exec', self.space(host), *command], env=self._environment,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._processes[host].append(process)
        return process

    def kill(self, host):
        """Kill all processes of a host, as if its battery had died."""
        for process in self._processes[host]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes[host] = []

    def link(self, host, state):
        """Cut ('down') or restore ('up') the link of a host."""
        self._in(self._switch, 'ip', 'link', 'set', host, state)

    def sent(self, host):
        """Return the bytes that a host has sent into the network."""
        path = '/sys/class/net/eth0/statistics/tx_bytes'
        return int(self._in(self.space(host), 'cat', path))

    def close(self):
        """End all processes and remove the namespaces."""
        for number in (signal.SIGINT, signal.SIGKILL):
            alive = [p for group in self._processes.values() for p in group if p.poll() is None]
            for process in alive:
                os.killpg(process.pid, number)
            deadline = time.monotonic() + 10.0
            while time.monotonic() < deadline and any(p.poll() is None for p in alive):
                time.sleep(0.1)
        for host in self._processes:
            subprocess.run(['ip', 'netns', 'del', self.space(host)], check=False)
        subprocess.run(['ip', 'netns', 'del', self._switch], check=False)

    @staticmethod
    def _in(space, *command):
        return run('ip', 'netns', 'exec', space, *command)


@pytest.fixture
def network():
    """Give a function that joins hosts by name, and remove them after the test."""
    probe = f'mav_probe_{os.getpid()}'
    if subprocess.run(['ip', 'netns', 'add', probe], check=False, capture_output=True).returncode:
        pytest.skip('this machine does not let even root make network namespaces')
    subprocess.run(['ip', 'netns', 'del', probe], check=False)
    made = []

    def join(hosts, environment):
        made.append(Network(hosts, environment))
        return made[-1]

    yield join
    for one in made:
        one.close()
