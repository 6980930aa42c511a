"""scikit-learn's methods on the folds of `node bench/table-methods.mjs scores.json …`, beside ours.

  python3 bench/table-methods.py scores.json

Prints the mean score and training time of every method on each table, and over the tables mean ranks
with the p of Friedman's test and those of Wilcoxon's test of the best method against each other,
corrected by Holm.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, wilcoxon
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
path = sys.argv[1]
tables = json.load(open(path))

def forest(kind, s):
    share = s.get("columnShare", "sqrt" if kind is RandomForestClassifier else 1 / 3)
    return kind(s["trees"], max_features=share, max_depth=s["depth"], min_samples_leaf=s["leastLeaf"], n_jobs=2, random_state=0)


def boosting(kind, s):
    return kind(
        max_iter=s["rounds"], learning_rate=s["learningRate"], max_depth=s["depth"], max_leaf_nodes=None,
        l2_regularization=s["lambda"], early_stopping=False,
    )


def network(kind, s):
    layers = (s["hidden"],) * s["layers"]
    return kind(
        hidden_layer_sizes=layers, learning_rate_init=s["learningRate"], alpha=s["weightDecay"], max_iter=s["epochs"],
        batch_size=32, random_state=0,
    )


# By the settings of ours: a classifier, and a regressor.
methods = {
    "forest": (lambda s: forest(RandomForestClassifier, s), lambda s: forest(RandomForestRegressor, s)),
    "boosting": (lambda s: boosting(HistGradientBoostingClassifier, s), lambda s: boosting(HistGradientBoostingRegressor, s)),
    "mlp": (lambda s: network(MLPClassifier, s), lambda s: network(MLPRegressor, s)),
    "logistic": (lambda s: LogisticRegression(C=s["c"], max_iter=1000), lambda s: Ridge(1 / s["c"])),
}


def encoder(frame):
    numbers = frame.select_dtypes("number").columns
    texts = frame.columns.difference(numbers)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), texts),
    )


def score_of(method, table, frame, y, setting, rows, test):
    is_number = table["kind"] == "number"
    model = methods[method][int(is_number)](setting)
    started = time.perf_counter()
    coder = encoder(frame)
    x = coder.fit_transform(frame.iloc[rows])
    # Networks need targets of usual size.
    shift, scale = (y[rows].mean(), y[rows].std()) if is_number and method == "mlp" else (0, 1)
    model.fit(x, (y[rows] - shift) / scale if is_number else y[rows])
    seconds = time.perf_counter() - started
    x = coder.transform(frame.iloc[test])
    if not is_number:
        return {"score": model.score(x, y[test]), "seconds": seconds}
    error = np.mean((model.predict(x) * scale + shift - y[test]) ** 2)
    return {"score": 1 - error / y[test].var(), "seconds": seconds}


def tuned_score(method, table, frame, y, fold):
    """The score on a fold with the setting that is best on rows held out of the others."""
    seen = np.setdiff1d(np.arange(len(y)), table["folds"][fold])
    settings = table["settings"][method]
    setting = settings[0]
    if len(settings) > 1:
        held = np.array(table["inner"][fold])
        trials = [score_of(method, table, frame, y, own, np.setdiff1d(seen, held), held)["score"] for own in settings]
        setting = settings[int(np.argmax(trials))]
    return score_of(method, table, frame, y, setting, seen, np.array(table["folds"][fold]))


for table in tables:
    frame = pd.read_csv(table["path"])
    y = frame.pop(table["target"]).to_numpy()
    frame = frame.drop(columns=[name for name in table["ignored"] if name in frame])
    name = table["path"].split("/")[-1].split(".")[0]
    theirs = table["theirs"] = {}
    for method in (method for method in methods if method in table["scores"]):
        theirs[method] = [tuned_score(method, table, frame, y, fold) for fold in range(len(table["folds"]))]
    cells = []
    for who, scores in (("", table["scores"]), ("sklearn ", theirs)):
        for method, folds in scores.items():
            mean = {key: np.mean([fold[key] for fold in folds]) for key in ("score", "seconds")}
            cells.append(f"{who}{method} {mean['score']:.4f} in {mean['seconds']:.2f} s")
    print(f"{name} ({table['kind']}): {'; '.join(cells)}", flush=True)
    json.dump(tables, open(path, "w"))

for kind in ("class", "number"):
    own = [table for table in tables if table["kind"] == kind]
    if len(own) < 3:
        continue
    names = [(who, method) for who in ("scores", "theirs") for method in own[0][who]]
    means = np.array([[np.mean([fold["score"] for fold in table[who][m]]) for who, m in names] for table in own])
    seconds = np.array([[np.mean([fold["seconds"] for fold in table[who][m]]) for who, m in names] for table in own])
    ranks = np.array([rankdata(-row) for row in means.round(6)]).mean(axis=0)
    p = friedmanchisquare(*means.T).pvalue
    # The best method against each other, Wilcoxon's test corrected by Holm.
    best = int(np.argmin(ranks))
    against = {k: wilcoxon(means[:, best], means[:, k], zero_method="zsplit").pvalue for k in range(len(names)) if k != best}
    holm, largest = {}, 0.0
    for place, k in enumerate(sorted(against, key=against.get)):
        largest = max(largest, min(1.0, (len(against) - place) * against[k]))
        holm[k] = largest
    print(f"\n{len(own)} tables ({kind}); Friedman p = {p:.1e}\n\n| method | mean rank | mean score | seconds | p against the first |\n| --- | --- | --- | --- | --- |")
    for at in np.argsort(ranks):
        who, method = names[at]
        title = f"scikit-learn {method}" if who == "theirs" else method
        print(f"| {title} | {ranks[at]:.2f} | {means[:, at].mean():.4f} | {seconds[:, at].mean():.2f} | {holm[at]:.2f} |" if at != best else f"| {title} | {ranks[at]:.2f} | {means[:, at].mean():.4f} | {seconds[:, at].mean():.2f} | |")
