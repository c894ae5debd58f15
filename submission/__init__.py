"""From ballots to a scored submission: votes, the Kaggle file, three scoring rules, merging of solvers.

Importing the package loads nothing; import names from their modules, for example `submission.vote.BallotBox`.
"""
