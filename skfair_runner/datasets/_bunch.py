"""The one shape in which every data set is handed out."""

import numpy as np
from sklearn.utils import Bunch


def make_bunch(
    data,
    target,
    sensitive_features,
    *,
    target_names,
    favourable_label,
    default_sensitive,
    sensitive_columns,
    descr,
    as_frame,
    return_X_y,
    **more,
):
    """Turn a cleaned table into what the fetchers return.

    Parameters
    ----------
    data : DataFrame of shape (n_samples, n_features)
        Features. Columns that are not numeric become categories.

    target : Series of shape (n_samples,)
        Labels 0 and 1.

    sensitive_features : DataFrame of shape (n_samples, n_sensitive)
        Name of the group that each sample is in, by one or more divisions.

    target_names : list of str
        What the labels 0 and 1 mean.

    favourable_label : {0, 1}
        The label that is better to receive.

    default_sensitive : str
        Column of `sensitive_features` to use where none is named.

    sensitive_columns : dict of str to list of str
        For each column of `sensitive_features`, the columns of `data` that it was
        read from.

    descr : str
        Source, terms, contents.

    as_frame : bool
        Whether pandas objects or numpy arrays are handed out.

    return_X_y : bool
        Whether only features and labels are handed out.

    **more : dict
        Further entries of the bunch.

    Returns
    -------
    result : Bunch or tuple (data, target)
        As documented by `fetch_adult`.
    """
    text = data.select_dtypes(exclude="number").columns
    data = data.astype(dict.fromkeys(text, "category"))
    categorical = data.select_dtypes("category").columns
    categories = {name: data[name].cat.categories.tolist() for name in categorical}
    feature_names = data.columns.tolist()
    sensitive_names = sensitive_features.columns.tolist()
    if not as_frame:
        data = _codes(data)
        target = target.to_numpy()
        sensitive_features = sensitive_features.to_numpy(dtype=object)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        sensitive_features=sensitive_features,
        feature_names=feature_names,
        target_names=target_names,
        sensitive_names=sensitive_names,
        default_sensitive=default_sensitive,
        sensitive_columns=sensitive_columns,
        favourable_label=favourable_label,
        categories=categories,
        DESCR=descr.strip() + "\n",
        **more,
    )


def _codes(data):
    """Float array of a table; categories by their number, missing values as NaN."""
    numbers = {
        name: column.cat.codes.where(column.notna())
        for name, column in data.select_dtypes("category").items()
    }
    return data.assign(**numbers).to_numpy(dtype=np.float64)


def make_image_bunch(
    data,
    target,
    sensitive_features,
    *,
    target_names,
    favourable_label,
    default_sensitive,
    descr,
    return_X_y,
    **more,
):
    """Turn images and what is known of them into what the fetchers return.

    Parameters
    ----------
    data : array of shape (n_samples, height, width, channels)
        Images, in memory or lazy.

    target : Series of shape (n_samples,)
        Labels 0 and 1.

    sensitive_features : DataFrame of shape (n_samples, n_sensitive)
        Name of the group that each image is in, by one or more divisions.

    target_names : list of str
        What the labels 0 and 1 mean.

    favourable_label : {0, 1}
        The label that is better to receive.

    default_sensitive : str
        Column of `sensitive_features` to use where none is named.

    descr : str
        Source, terms, contents.

    return_X_y : bool
        Whether only images and labels are handed out.

    **more : dict
        Further entries of the bunch.

    Returns
    -------
    result : Bunch or tuple (data, target)
        As documented by `make_biased_digits`.
    """
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        sensitive_features=sensitive_features,
        target_names=target_names,
        sensitive_names=sensitive_features.columns.tolist(),
        default_sensitive=default_sensitive,
        favourable_label=favourable_label,
        DESCR=descr.strip() + "\n",
        **more,
    )
