"""Public tables as CSV with a column `target`: five with a numeric target, or seven wide ones of classes.

  GOSSAMER_DATA=… python3 bench/table-sets.py FOLDER
  GOSSAMER_DATA=… python3 bench/table-sets.py FOLDER wide

diabetes (Efron et al. 2004) and boston come with scikit-learn; ESOL and FreeSolv are counts of what
stands in the SMILES; mobilenet is the ImageNet accuracy of sub-networks (DyNAS-T) by their settings.

Wide ones: 500 of scikit-learn's digits and 500 pictures of MNIST and of Fashion-MNIST in cells of 4 × 4
pixels; 500 windows of WISDM; 500 news of R8 by their 60 most frequent words; pages of Texas and
Wisconsin by the 100 words that most of them have, less the one page of a class of its own.
"""

import ast
import collections
import gzip
import os
import re
import sys

import numpy as np
import pandas as pd
import sklearn.datasets

data, out = os.environ["GOSSAMER_DATA"], sys.argv[1]
os.makedirs(out, exist_ok=True)


def write(name, frame):
    frame.to_csv(os.path.join(out, name + ".csv"), index=False)
    print(name, frame.shape)


def numbers(name, rows, target):
    frame = pd.DataFrame(rows, columns=[f"x{column}" for column in range(rows.shape[1])])
    write(name, frame.assign(target=np.asarray(target)))


def wide():
    some = lambda count: np.random.default_rng(0).permutation(count)[:500]
    digits = sklearn.datasets.load_digits()
    rows = some(len(digits.target))
    numbers("digits", digits.data[rows].astype(int), digits.target[rows])
    for name in ("mnist", "fashion-mnist"):
        images, labels = (
            gzip.open(os.path.join(data, name, f"t10k-{kind}-ubyte.gz")).read() for kind in ("images-idx3", "labels-idx1")
        )
        pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 7, 4, 7, 4).mean((2, 4)).reshape(-1, 49)
        rows = some(len(pixels))
        numbers(name, pixels[rows], np.frombuffer(labels, np.uint8, offset=8)[rows])
    frame = pd.read_csv(os.path.join(data, "wisdm", "wisdm_transformed.csv.gz")).drop(columns="user")
    write("wisdm", frame.iloc[some(len(frame))].rename(columns={"activity": "target"}))
    frame = pd.read_csv(os.path.join(data, "text", "r8.tsv.gz"), sep="\t")
    frame = frame.iloc[some(len(frame))]
    counts = [collections.Counter(text.split()) for text in frame["text"]]
    words = [word for word, _ in sum(counts, collections.Counter()).most_common(60)]
    numbers("r8", np.array([[own[word] for word in words] for own in counts]), frame["label"])
    for name in ("texas", "wisconsin"):
        pages = np.load(os.path.join(data, "heterophilous", name + ".npz"))
        words = np.zeros(pages["x_shape"], int)
        words[np.repeat(np.arange(len(words)), np.diff(pages["x_indptr"])), pages["x_indices"]] = 1
        often = np.sort(np.argsort(-words.sum(0), kind="stable")[:100])
        kept = np.bincount(pages["labels"])[pages["labels"]] > 1
        numbers(name, words[kept][:, often], pages["labels"][kept])


if sys.argv[2:] == ["wide"]:
    wide()
    sys.exit()

write("diabetes", sklearn.datasets.load_diabetes(as_frame=True, scaled=False).frame)
own = os.path.join(os.path.dirname(sklearn.datasets.__file__), "data", "boston_house_prices.csv")
write("boston", pd.read_csv(own, skiprows=1).rename(columns={"MEDV": "target"}))

parts = ["C", "c", "N", "n", "O", "o", "S", "s", "P", "F", "Cl", "Br", "I", "=", "#", r"\(", r"\d", r"\[", "@", r"[+-]"]
for name, column in (("esol", "logp"), ("freesolv", "freesolv")):
    frame = pd.read_csv(os.path.join(data, "molecules", name + ".csv"))
    counts = {f"count of {part}": [len(re.findall(part + ("(?!l)" if part == "C" else ""), text)) for text in frame["smiles"]] for part in parts}
    write(name, pd.DataFrame({**counts, "length": frame["smiles"].str.len(), "target": frame[column]}))

files = sorted(file for file in os.listdir(os.path.join(data, "dynas")) if file.endswith(".csv"))
logs = pd.concat([pd.read_csv(os.path.join(data, "dynas", file)) for file in files]).drop_duplicates("Sub-network")
settings = [ast.literal_eval(text) for text in logs["Sub-network"]]
columns = {f"{key}{i}": [row[key][i] for row in settings] for key in ("ks", "e", "d") for i in range(len(settings[0][key]))}
write("mobilenet", pd.DataFrame({**columns, "target": logs["Top-1 Acc (%)"].to_numpy()}))
