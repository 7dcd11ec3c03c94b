"""Running tests over a submission in the sandbox: the files of such a job, and the program that it runs."""
