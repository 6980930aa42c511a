"""scikit-learn's methods on the table of bench/table-size.mjs.

  python3 bench/table-size.py table.csv [method]
"""

import sys
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

frame = pd.read_csv(sys.argv[1])
y = frame.pop("class").to_numpy()
x = frame.drop(columns="value").to_numpy(np.float32)
held = np.arange(len(y)) % 5 == 0
methods = {
    "boosting": HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.3, max_depth=6, max_leaf_nodes=None, l2_regularization=1.0, early_stopping=False
    ),
    "forest": RandomForestClassifier(10, n_jobs=2, random_state=0),
    "logistic": LogisticRegression(max_iter=1000),
    "mlp": MLPClassifier(64, batch_size=32, alpha=1e-4, max_iter=1, random_state=0),
}
for name, model in methods.items():
    if len(sys.argv) > 2 and name != sys.argv[2]:
        continue
    started, before = time.perf_counter(), time.process_time()
    model.fit(x[~held], y[~held])
    clock, processor = time.perf_counter() - started, time.process_time() - before
    print(f"{name}: {clock:.1f} s, {processor:.1f} s of the processor, {model.score(x[held], y[held]):.4f}")
