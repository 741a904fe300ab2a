"""The command line: one file a command, each a thin layer over the Python API.

    main.py      the group of commands, and what becomes of errors (codes in ``emberc.errors``)
    console.py   where a command writes: results, progress, colours, ``--json``
    values.py    what flags take: sizes, shapes, fixed inputs, lists

A command imports the rest of the package when it runs, so that ``emberc --help`` answers at once. Stands above
everything else in ``emberc``: nothing imports it.
"""
