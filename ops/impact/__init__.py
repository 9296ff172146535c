"""Says what a change of the templates would do to what is deployed, and stops what nobody has approved.

Two cloud assemblies go in (``sources``), a list of classified changes comes out (``compare``), and it is shown
(``render_*``) and held against the approvals (``gate``). Nothing here needs credentials or a network, except comparing
with what is deployed (``live``).
"""
