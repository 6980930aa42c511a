"""scikit-learn's methods on the folds of `node bench/table-methods.mjs scores.json …`, beside ours.

  python3 bench/table-methods.py scores.json

Prints the mean score and training time of every method on each table, and over the tables mean ranks
with the p of Friedman's test.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata
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

boosting = dict(max_iter=100, learning_rate=0.3, max_depth=6, max_leaf_nodes=None, l2_regularization=1.0, early_stopping=False)
network = dict(hidden_layer_sizes=(64,), learning_rate_init=1e-3, batch_size=32, max_iter=200)
methods = {
    "forest": (
        lambda: RandomForestClassifier(100, n_jobs=2, random_state=0),
        lambda: RandomForestRegressor(100, n_jobs=2, max_features=1 / 3, random_state=0),
    ),
    "boosting": (lambda: HistGradientBoostingClassifier(**boosting), lambda: HistGradientBoostingRegressor(**boosting)),
    "mlp": (lambda: MLPClassifier(**network, random_state=0), lambda: MLPRegressor(**network, random_state=0)),
    "logistic": (lambda: LogisticRegression(max_iter=1000), lambda: Ridge(1.0)),
}


def encoder(frame):
    numbers = frame.select_dtypes("number").columns
    texts = frame.columns.difference(numbers)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), texts),
    )


def score_of(method, table, frame, y, fold):
    is_number = table["kind"] == "number"
    test = np.zeros(len(y), bool)
    test[fold] = True
    model = methods[method][int(is_number)]()
    started = time.perf_counter()
    coder = encoder(frame)
    x = coder.fit_transform(frame[~test])
    # Networks need targets of usual size.
    shift, scale = (y[~test].mean(), y[~test].std()) if is_number and method == "mlp" else (0, 1)
    model.fit(x, (y[~test] - shift) / scale if is_number else y[~test])
    seconds = time.perf_counter() - started
    x = coder.transform(frame[test])
    if not is_number:
        return {"score": model.score(x, y[test]), "seconds": seconds}
    error = np.mean((model.predict(x) * scale + shift - y[test]) ** 2)
    return {"score": 1 - error / y[test].var(), "seconds": seconds}


for table in tables:
    frame = pd.read_csv(table["path"])
    y = frame.pop(table["target"]).to_numpy()
    frame = frame.drop(columns=[name for name in table["ignored"] if name in frame])
    name = table["path"].split("/")[-1].split(".")[0]
    theirs = table["theirs"] = {}
    for method in (method for method in methods if method in table["scores"]):
        theirs[method] = [score_of(method, table, frame, y, fold) for fold in table["folds"]]
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
    print(f"\n{len(own)} tables ({kind}); Friedman p = {p:.1e}\n\n| method | mean rank | mean score | seconds |\n| --- | --- | --- | --- |")
    for at in np.argsort(ranks):
        who, method = names[at]
        title = f"scikit-learn {method}" if who == "theirs" else method
        print(f"| {title} | {ranks[at]:.2f} | {means[:, at].mean():.4f} | {seconds[:, at].mean():.2f} |")
