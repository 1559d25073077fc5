"""Sphinx extension: find the repository's address when the book is built, for the Colab and repository buttons.

It comes from GITHUB_REPOSITORY (set by GitHub's runners), else from `git remote get-url origin`; with neither, the book has
no such buttons. So a fork's book points at the fork.
"""

import os
import re
import subprocess


def repository_url(environ, folder):
    """Return "https://github.com/OWNER/REPO", or None where neither `environ` nor the git remote of `folder` names one."""
    if environ.get("GITHUB_REPOSITORY"):
        return f"https://github.com/{environ['GITHUB_REPOSITORY']}"
    try:
        remote = subprocess.run(["git", "-C", str(folder), "remote", "get-url", "origin"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    match = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(\.git)?/?$", remote.stdout.strip())
    return f"https://github.com/{match[1]}" if match else None


def configure(app, config):
    url = repository_url(os.environ, app.confdir)
    options = config.html_theme_options
    if url:
        options["repository_url"] = url
        options["use_repository_button"] = True
        options["repository_branch"] = os.environ.get("GITHUB_REF_NAME") or "main"
    else:
        options["launch_buttons"] = {}


def setup(app):
    app.connect("config-inited", configure, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
