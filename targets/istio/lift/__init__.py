"""What Istio's objects mean, read from files: the judge of what this target emits, and the way in for files of others.

It is written from the reference of Istio alone, without a look at how policies are lowered.
"""
