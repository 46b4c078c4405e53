"""Speed and accuracy of the build on a generated shop, as ratios against named peers in the same run."""
