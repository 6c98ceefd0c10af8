"""Words and values that every other layer speaks: findings, images, geometry, results, errors."""
