"""The shell: steps that open inputs, call components and publish one artefact; pipelines; the CLI."""
