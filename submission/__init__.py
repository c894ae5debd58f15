"""From ballots to a scored submission: votes, the Kaggle file, the three scoring rules, merging of solvers.

Importing the package loads nothing; take names from their modules, for example `submission.vote.BallotBox`.
"""
