"""What is written is there whole or not at all, and a kill leaves nothing behind that stays."""

import os
import signal

from relearn_lite.core.files import write_text


def killed_while_writing(path, text):
    """Writes in a process that is killed when the text is written but does not have its name yet."""
    child = os.fork()
    if child == 0:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        write_text(path, text)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_kill_while_writing_leaves_the_file_as_it_was_and_the_next_try_clears_up(tmp_path):
    path = tmp_path / "manifest.json"
    write_text(path, "old")
    killed_while_writing(path, "new, longer")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    write_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
