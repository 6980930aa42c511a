"""Five public tables with a numeric target, as CSV with a column `target`.

  GOSSAMER_DATA=… python3 bench/table-sets.py FOLDER

diabetes (Efron et al. 2004) and boston come with scikit-learn; ESOL and FreeSolv are counts of what
stands in the SMILES; mobilenet is the ImageNet accuracy of sub-networks (DyNAS-T) by their settings.
"""

import ast
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
