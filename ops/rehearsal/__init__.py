"""The rehearsal: the whole life of an environment, by the unmodified CDK CLI, against an AWS emulator on loopback.

``ha rehearse`` deploys an environment, looks every resource up afterwards, and reports what came to exist and how.
The modules, from the outside in: ``command`` (the command line), ``rehearsal`` and ``life`` (the steps), ``verify``
(what came to exist), ``report``, ``page`` and ``tables`` (how it is told), ``assembly`` and
``cdk_cli`` (what it works on).
"""
