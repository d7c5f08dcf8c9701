import shutil, pyarrow.parquet as pq
from tests.flows.test_history import *
from flows.destination import LocalFolder
def test_dbg(dataset):
    d=LocalFolder(dataset.folder); m=d.manifest()
    for c in ("articles","copies"):
        for s in m.of(c):
            for r in pq.read_table(d.current/s.path, partitioning=None).to_pylist(): print(c, s.path, r["id"], r["cluster_id"], r["url"][-30:], r["canonical_url"][-40:])
    shutil.rmtree(dataset.state)
    from flows.stages import open_index
    with open_index(dataset) as i: print(i.known(["354331a7f3e0cd25c99c7117213fbdd9"]), i.runs())
    assert 0
