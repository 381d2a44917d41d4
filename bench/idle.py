"""What a node costs that has nothing to do."""

import time

from measure import cpu_seconds, rss_anon_mib

from launcher import Node, Simulator, fresh_directory


def run(quick):
    seconds = 5 if quick else 30
    directory = fresh_directory("bench")
    simulator = Simulator(directory)
    node = None
    try:
        node = Node(directory, simulator).start()
        time.sleep(3)
        cpu = cpu_seconds(node.process.pid)
        time.sleep(seconds)
        cpu = cpu_seconds(node.process.pid) - cpu
        print(f"over {seconds} s: {cpu / seconds:.2%} of a core, {rss_anon_mib(node.process.pid):.1f} MiB RssAnon")
    finally:
        if node:
            node.stop()
        simulator.stop()
