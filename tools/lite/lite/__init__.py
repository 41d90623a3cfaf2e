"""The recipe of facecore's embedded model pack: data, networks, training, export."""
