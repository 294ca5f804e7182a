"""HDF5 files through a process of their own: whatever libhdf5 does there, the command goes on to say which file."""

import os
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from minima.store.hdf5 import opening, process
from minima.store.hdf5.opening import is_hdf5, opened
from minima.store.messages import BadInput
from minima.store.room import allowing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        scale = file.create_dataset("group/axis", data=np.arange(4))
        scale.make_scale("axis")
        file["group/values"] = np.arange(24.0).reshape(4, 3, 2)
        file["group/values"].dims[0].attach_scale(scale)
        file["group/values"].attrs.update(units="nat", sizes=[1, 2], share=np.float32(0.1), words=["a", "b"])
        file["group/packed"] = h5py.Empty("f8")
        file["group"].create_dataset("zipped", data=np.arange(10_000) % 7, compression="gzip", shuffle=True)
        file["text"] = ["one", "zwei…"]
        file["number"] = 2.5
        file["yes"] = np.array([True, False])
        del file["group/packed"]
    return tmp_path / "x.h5"


INDICES = [
    (),
    ...,
    1,
    -1,
    np.int64(2),
    slice(1, 3),
    (slice(None), 1),
    (..., 0),
    (1, 2, 1),
    (slice(0, 4, 2), slice(2, 0)),
]


@pytest.mark.parametrize("index", INDICES)
def test_values_are_those_that_h5py_reads(path: Path, index: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as seen, h5py.File(path) as file:
        values, expected = seen["group"]["values"][index], file["group/values"][index]
        assert np.array_equal(values, expected)
        assert np.shape(values) == np.shape(expected)


def test_names_attributes_and_all_kinds_of_values(path: Path) -> None:
    with opened(path) as file:
        assert [*file] == ["group", "number", "text", "yes"]
        assert "group/axis" in file
        assert "axis" in file["group"]
        assert "axis" not in file
        values = file["group/values"]
        assert (values.shape, str(values.dtype), values.dims) == ((4, 3, 2), "float64", (("/group/axis",), (), ()))
        assert file["group/axis"].is_scale
        assert dict(values.attrs).keys() == {"units", "sizes", "share", "words"}
        assert values.attrs["units"] == "nat"
        assert values.attrs["sizes"].tolist() == [1, 2]
        assert values.attrs["share"] == np.float32(0.1)
        assert values.attrs["words"].tolist() == ["a", "b"]
        assert [*file["text"]] == ["one", "zwei…"]
        assert file["number"][()] == 2.5
        assert file["yes"][()].tolist() == [True, False]
        assert np.array_equal(file["group/zipped"][()], np.arange(10_000) % 7)
        for index in (4, (0, 0, 0, 0), slice(None, None, -1)):
            with pytest.raises(IndexError):
                values[index]
        with pytest.raises(KeyError, match="it holds no group/other"):
            file["group"]["other"]


def test_values_longer_than_a_piece_come_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((3, 700_000))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"], file["t"] = values, [f"text {number}" for number in range(70_000)]
    with opened(tmp_path / "x.h5") as seen:
        assert np.array_equal(seen["x"][()], values)
        assert np.array_equal(seen["x"][1:, 5:600_000], values[1:, 5:600_000])
        assert seen["t"][69_999] == "text 69999"
        assert len(seen["t"][()]) == 70_000


def link(file: h5py.File) -> None:
    file["aside"] = h5py.ExternalLink("/etc/passwd", "/")


def loop(file: h5py.File) -> None:
    file["loop"] = h5py.SoftLink("/loop")


def raw(file: h5py.File) -> None:
    file.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def huge(file: h5py.File) -> None:
    file.create_dataset("huge", (10**6,) * 3, "f8", chunks=True, fillvalue=1.0)


def dates(file: h5py.File) -> None:
    file["pairs"] = np.zeros(3, [("a", "i4"), ("b", "f8")])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (link, "/aside leads to another place"),
        (loop, "/loop leads to another place"),
        (raw, "the values of /raw lie in another file"),
        (huge, r"/huge says that it takes 8,000,000,000,000,000,000 bytes, the whole file has"),
        (dates, "an array of"),
    ],
)
def test_what_leads_out_of_the_file_or_is_not_all_there_is_refused(
    path: Path, change: Callable[[h5py.File], None], said: str
) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(BadInput, match=rf"x\.h5 is damaged: .*{said}"), opened(path):
        pass


def test_what_is_not_all_there_may_take_what_memory_grants(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("compressed", (5 * 2**27,), "f8", chunks=(2**10,), compression="gzip")
    with pytest.raises(BadInput, match=r"the whole file has [\d,]+, and --memory is 4"), opened(path):
        pass
    with allowing(5.0), opened(path) as file:
        assert file["compressed"][:3].tolist() == [0, 0, 0]


def test_only_regular_files_are_opened_and_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, said in {"fifo": "is a pipe", "no": "there is no such file", ".": "is a folder"}.items():
        with pytest.raises(BadInput, match=said), opened(tmp_path / name):
            pass
    (tmp_path / "text").write_text("no HDF5")
    assert not is_hdf5(tmp_path / "text")
    with pytest.raises(BadInput, match="text is no HDF5 file"), opened(tmp_path / "text"):
        pass


def read_after(path: Path, sent: signal.Signals) -> None:
    with opened(path) as file:
        assert process._Current.process is not None
        process._Current.process._child.send_signal(sent)
        file["group/values"][()]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (signal.SIGABRT, r"the HDF5 library breaks down on it \(SIGABRT\)"),
        (signal.SIGSEGV, r"the HDF5 library breaks down on it \(SIGSEGV\)"),
        (signal.SIGXCPU, "reading it does not come to an end"),
    ],
)
def test_the_end_of_the_process_is_a_message_and_the_next_file_is_read(
    path: Path, sent: signal.Signals, said: str
) -> None:
    with pytest.raises(BadInput, match=rf"x\.h5 is damaged: {said}"):
        read_after(path, sent)
    with opened(path) as file:
        assert file["number"][()] == 2.5


def test_a_process_that_stands_still_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 1)
    with pytest.raises(BadInput, match="nothing has come of it for too long"):
        read_after(path, signal.SIGSTOP)
    with opened(path) as file:
        assert file["number"][()] == 2.5


def test_a_loop_without_end_is_ended_by_the_time_of_the_processor_that_it_takes() -> None:
    program = "from minima.store.hdf5 import reader; reader.SECONDS = 1; reader._progress()\nwhile True: pass"
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", program], os.environ)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGXCPU


def test_memory_that_a_file_asks_for_is_limited(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    adler = ((2**31 % 65521) << 16 | 1).to_bytes(4, "big")
    with h5py.File(tmp_path / "x.h5", "w") as file:  # one chunk of 2 GiB of zeros, in 2 MB
        dataset = file.create_dataset("x", (2**28,), "f8", chunks=(2**28,), compression="gzip")
        dataset.id.write_direct_chunk((0,), b"\x78\x01" + zeros * 2**7 + packer.flush() + adler)
    with pytest.raises(BadInput, match=r"x\.h5 is damaged"), opened(tmp_path / "x.h5") as seen:
        seen["x"][:10]


def test_a_file_changed_while_it_is_open_is_refused(path: Path) -> None:
    def look() -> None:
        with opened(path) as file:
            assert file["number"][()] == 2.5
            os.utime(path)

    with pytest.raises(BadInput, match="was written or replaced"):
        look()


def test_a_file_is_read_anew_once_it_has_changed(path: Path) -> None:
    for value in (1.5, 3.5):
        with h5py.File(path, "r+") as file:
            file["number"][...] = value
        with opened(path) as seen:
            assert seen["number"][()] == value


def test_threads_and_forks_do_not_mix_their_answers(path: Path) -> None:
    def look() -> None:
        for row in range(50):
            with opened(path) as file:
                right.append(np.array_equal(file["group/values"][row % 4], np.arange(24.0).reshape(4, 3, 2)[row % 4]))

    right: list[bool] = []
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    child = os.fork()
    if child == 0:
        with opened(path) as file:
            os._exit(0 if file["number"][()] == 2.5 else 1)
    for thread in threads:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert right == [True] * 200


def test_more_files_than_are_kept_open(tmp_path: Path) -> None:
    for number in range(opening.KEPT_OPEN + 3):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["x"] = number
    with opened(tmp_path / "0.h5"):  # the process that reads is there
        before = len(os.listdir("/dev/fd"))
    for _ in range(2):
        for number in range(opening.KEPT_OPEN + 3):
            with opened(tmp_path / f"{number}.h5") as seen:
                assert seen["x"][()] == number
    assert len(os.listdir("/dev/fd")) < before + opening.KEPT_OPEN


def test_it_costs_little(path: Path) -> None:
    process._give_up()
    began = time.process_time()
    with opened(path) as file:
        file["number"][()]
    assert time.process_time() - began < 0.2  # of this process: not the child's, which runs beside it
