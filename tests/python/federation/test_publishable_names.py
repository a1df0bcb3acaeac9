"""Which names may leave: what federated_export says beforehand is what the export then does."""

from .conftest import Project, times

PLAIN = [
    "able", "openhub/able-2", "a b", "été", "模型", "\U0001f600", "x" * 200, "a[b]", "a%_b", "ab:/c",
    *(f"a{sign}b" for sign in "\x20\x7e\xa0\u2027\u202f\u2065\u206a"),
]  # fmt: skip
STRANGE = [
    "x" * 201, "/able", "~able", ".able", " able", "able ", "able/", "a//b", "a/.b", "a\\b", "C:/able", "C:\\able",
    *(f"a{sign}b" for sign in "\x01\t\n\x1b\x1f\x7f\x85\x9f\u2028\u202a\u202e\u2066\u2069"), "able\n", "\u202eable",
]  # fmt: skip


def test_both_agree_on_every_name(project: Project) -> None:
    project.record(one for name in PLAIN + STRANGE for one in times(20, model_id=name))
    project.record(one for name in STRANGE for one in times(20, task_type=name))
    held_back = project.query("select task_type, model_id from federated_export where is_held_back = 1")
    cells = {("code", name) for name in STRANGE} | {(name, "able") for name in STRANGE}
    assert {(row["task_type"], row["model_id"]) for row in held_back} == cells
    (window,) = project.export()
    assert set(window["cells"]) == {("code", name) for name in PLAIN}
