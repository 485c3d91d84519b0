"""Walking through folders where names are odd. Real servers are asked in `tests/imports`."""

from collections.abc import Sequence

from providers.folders import Entry, Folders


class Files:
    """One folder."""

    deep = False

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        del folder, token
        odd = [Entry("/in/a\nb.pdf"), Entry("/in/..", is_folder=True), Entry("/in/x\ty", is_folder=True)]
        return [*odd, Entry("/in/b.pdf")], None


async def test_names_that_cannot_be_asked_for_hide_no_other_file_of_their_folder() -> None:
    options = {"folder": "/in", "subfolders": True}
    page = await Folders(Files(), options, 1).page(None, None)  # type: ignore[arg-type]  # stands in
    assert [item.id for item in page.items] == ["/in/b.pdf"]
    assert page.last
