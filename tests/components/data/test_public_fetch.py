"""Downloads from a real server on this machine that breaks off, refuses and changes its mind."""

import zipfile

import pytest
from tenacity import wait_none

from recloop.data.public.fetch import Line, fetch
from recloop.data.public.sets import Download, Form, Need
from recloop.errors import BadData, Busy, Unavailable
from sites import BODY, SHA, line, names, nothing, plain, shop


def test_a_connection_that_drops_midway_is_gone_on_with_where_it_broke(site, client, tmp_path):
    site.drops = 3
    fetch(plain(site), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    starts = [None if r is None else int(r[6:-1]) for _, r in site.asked]
    assert len(starts) == 4
    assert starts[0] is None
    assert starts[1:] == sorted(set(starts[1:]))
    assert names(tmp_path / "shop") == ["big.bin"]


def test_a_later_process_goes_on_with_what_an_earlier_one_left(site, client, tmp_path):
    site.drops = 10
    site.cut = 50_000
    with pytest.raises(Unavailable, match="run the same command"):
        fetch(plain(site), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin.mark", "big.bin.part"]
    here = (tmp_path / "shop/big.bin.part").stat().st_size
    site.asked.clear()
    fetch(plain(site), tmp_path, line(client))
    assert site.asked == [("/big.bin", f"bytes={here}-")]
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_taken_anew(site, client, tmp_path):
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(plain(site, digest=None), tmp_path, line(client))
    site.tag, site.files["/big.bin"] = '"v2"', BODY[::-1]
    fetch(plain(site, digest=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY[::-1]


def test_a_server_without_ranges_is_asked_for_all_again(site, client, tmp_path):
    site.drops, site.ranges = 1, False
    fetch(plain(site), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_part_that_is_whole_already_is_only_renamed(site, client, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/big.bin.part").write_bytes(BODY)
    (tmp_path / "shop/big.bin.mark").write_text(site.tag)
    fetch(plain(site), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin"]


def test_an_overloaded_server_is_asked_again(site, client, tmp_path):
    site.refusals = 2
    fetch(plain(site), tmp_path, line(client))
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("wrong", "said"), [({"digest": "md5:" + 32 * "0"}, "another version"), ({"size": 7}, "7 were published")]
)
def test_other_bytes_than_were_published_are_thrown_away(site, client, tmp_path, wrong, said):
    with pytest.raises(BadData, match=said):
        fetch(plain(site, **wrong), tmp_path, line(client))
    assert "big.bin" not in names(tmp_path / "shop")
    assert "big.bin.part" not in names(tmp_path / "shop")


def test_what_the_publisher_does_not_have_is_said_with_the_page(site, client, tmp_path):
    with pytest.raises(BadData, match=r"404.*http://page"):
        fetch(plain(site, path="/none"), tmp_path, line(client))


def test_what_is_there_is_not_fetched_again(site, client, tmp_path):
    for _ in range(2):
        fetch(plain(site), tmp_path, line(client))
    assert len(site.asked) == 1


def test_progress_is_told_as_a_share(site, client, tmp_path):
    told = []
    fetch(plain(site), tmp_path, line(client, told=told))
    assert told[-1] == ("big.bin: 1.0 MB", 1.0)


def test_a_folder_as_mirror_is_asked_first(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/big.bin").write_bytes(BODY)
    fetch(plain(site), tmp_path, line(client, str(tmp_path / "mirror")))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    assert site.asked == []


def test_a_url_as_mirror_is_asked_first_and_then_the_publisher(site, client, tmp_path):
    fetch(plain(site), tmp_path, line(client, f"{site.url}/mirror"))
    assert [path for path, _ in site.asked] == ["/mirror/shop/big.bin", "/mirror/shop/big.bin", "/big.bin"]


def test_a_mirror_with_other_bytes_is_refused(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/big.bin").write_bytes(b"else")
    with pytest.raises(BadData, match="was published"):
        fetch(plain(site), tmp_path, line(client, str(tmp_path / "mirror")))


def test_an_archive_is_unpacked_and_goes(site, client, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("shop-1/ratings.csv", "a,b\n")
        packed.writestr("shop-1/other.csv", "c\n")
    site.files["/all.zip"] = (tmp_path / "all.zip").read_bytes()
    download = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("*/ratings.csv", "ratings.csv"),))
    fetch(shop(Form((Need("ratings.csv"),), nothing, True, (download,))), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["ratings.csv"]


def test_a_second_form_is_taken_where_the_mirror_has_only_that(site, client, tmp_path):
    (tmp_path / "mirror/old").mkdir(parents=True)
    (tmp_path / "mirror/old/b.txt").write_text("b")
    first = Form((Need("a.txt"),), nothing, True, (Download(f"{site.url}/a.txt", "a.txt"),))
    second = Form((Need("b.txt", at="old/b.txt"),), nothing, True)
    assert fetch(shop(first, second), tmp_path, line(client, str(tmp_path / "mirror"))) == second


def test_a_set_behind_a_login_says_what_to_do(client, tmp_path):
    found = shop(Form((Need("a.csv"), Need("b.csv")), nothing, False), by_hand="Sign in at http://page.")
    with pytest.raises(BadData, match=r"Sign in at http://page\. Then put a\.csv and b\.csv into"):
        fetch(found, tmp_path, line(client))


def test_a_wheel_is_asked_of_the_package_index(client, tmp_path):
    def wheel(requirement, folder):
        assert requirement == "shop==1.0"
        with zipfile.ZipFile(folder / "shop-1.0.whl", "w") as packed:
            packed.writestr("shop/data/a.csv", "a\n")
        return folder / "shop-1.0.whl"

    download = Download("pypi:shop==1.0", "shop.whl", unpacked=(("shop/data/a.csv", "a.csv"),))
    found = shop(Form((Need("a.csv"),), nothing, True, (download,)))
    fetch(found, tmp_path, Line(client, wheel, lambda *_: None))
    assert names(tmp_path / "shop") == ["a.csv"]


def test_other_bytes_in_an_archive_than_are_known_are_dropped(client, tmp_path):
    def wheel(_, folder):
        with zipfile.ZipFile(folder / "shop-1.0.whl", "w") as packed:
            packed.writestr("a.csv", "other\n")
        return folder / "shop-1.0.whl"

    download = Download("pypi:shop==1.0", "shop.whl", unpacked=(("a.csv", "a.csv"),))
    found = shop(Form((Need("a.csv", SHA),), nothing, True, (download,)))
    with pytest.raises(BadData, match="another version"):
        fetch(found, tmp_path, Line(client, wheel, lambda *_: None))
    assert names(tmp_path / "shop") == []


def test_two_processes_do_not_fetch_one_set_at_once(site, client, tmp_path):
    def second(*_):
        with pytest.raises(Busy, match="Another process"):
            fetch(plain(site), tmp_path, line(client))

    fetch(plain(site), tmp_path, Line(client, second, second, wait=wait_none()))
