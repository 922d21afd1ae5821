"""The numbers of each group of questions in the report of a run."""

from relearn_lite.report import groups
from relearn_lite.report.tables import Table


def told(*names, n=4):
    return {name: {"value": 0.5, "n": n, "interval": None} for name in names}


def tables(vanilla, unlearned, mask=False):
    metrics = {"vanilla": {"groups": vanilla}, "unlearned": {"groups": unlearned}}
    return [part for part in groups.section(metrics, mask).parts if isinstance(part, Table)]


def test_a_masked_group_has_one_number_in_all_tables():
    """Another group was group 1 in the table of what was to be forgotten than in that of the rest."""
    both = {"kfr": told("Ada", "Bram"), "krr": told("Bram", "Cleo")}
    masked = [[row.name for row in table.rows] for table in tables(both, both, mask=True)]
    assert masked == [["group 1", "group 2"], ["group 2", "group 3"]]
    assert [[row.name for row in table.rows] for table in tables(both, both)] == [["Ada", "Bram"], ["Bram", "Cleo"]]


def test_a_mean_of_fewer_answers_says_of_how_many():
    """Where some answers after unlearning could not be judged, the larger count stood beside both means."""
    (table,) = tables({"kfr": told("Ada", "Bram")}, {"kfr": told("Ada", n=1) | told("Bram")})
    assert [row.at("n")[0].text for row in table.rows] == ["4 / 1", "4"]
