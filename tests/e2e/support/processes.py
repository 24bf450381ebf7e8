"""Child processes that end with the test run, whatever happens to it."""
import ctypes
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A server in the foreground. `stop_signal` asks it to end; after `patience` seconds it is killed."""

    def __init__(self, command, log_path, user=None, stop_signal=signal.SIGTERM, **popen_arguments):
        def die_with_parent():
            _libc.prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
            # Who runs tests side by side ignores it, and what is ignored is inherited: a process that is asked to end
            # before it has said that it listens would never know.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        self.command = [str(part) for part in command]
        self.log_path = log_path
        self.stop_signal = stop_signal
        if user is not None:
            popen_arguments |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
                                            **popen_arguments)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_until(self, ready, what, patience=30.0):
        """Polls `ready()`; fails with the log's end if the process ends first or time runs out."""
        deadline = time.monotonic() + patience
        while not ready():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                state = f"ended with status {self.process.returncode}" if ended else "is not ready"
                raise RuntimeError(f"{self.command[0]} {state} ({what}):\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def stop(self, patience=20.0):
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def can_connect(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False
