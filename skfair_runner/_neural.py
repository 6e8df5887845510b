"""What a neural classifier does besides training: read, keep, tell, predict."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from ._building import SKORCH_PREFIXES, check_skorch_parameter
from ._inputs import (
    check_image_shape,
    check_labels_present,
    encode_labels,
    favourable_code,
    read_groups,
    read_weights,
    take_sensitive_columns,
)
from ._module_making import takes_grey_images
from ._surprises import Voice, warn_if_bound_not_met, warn_if_constant
from ._training_data import TrainingData
from .diagnosis import make_neuron_table, selected_by_layer
from .groups import check_same_indexes
from .groups.texts import first_few
from .images import ImageSource, opened, read_images
from .tasks import probabilities
from .utils import SensitiveFeaturesRequestMixin

# scikit-learn's common checks set the name after ** as if it were a parameter, and
# expect that only `fit` complains.
_OPEN_NAMES = (*SKORCH_PREFIXES, "skorch_parameters")


class NeuralClassifier(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Base of classifiers around a :class:`~skfair_runner.net.RunnerNet`.

    A subclass has the parameters that are read here, among them `sensitive_columns`,
    `drop_sensitive`, `missing_groups`, `pos_label`, `sampling`, `module` and `top_k`,
    and trains.
    """

    # In whose name it warns where another class trains it; None is its own.
    _voice: Voice | None = None

    def _keep(self, skorch_parameters):
        """Take the parameters with skorch's prefixes, once their names are known."""
        for name in skorch_parameters:
            if name not in _OPEN_NAMES:
                self._check_name(name)
        self._skorch_parameters = skorch_parameters

    def _check_name(self, name):
        check_skorch_parameter(name, self._get_param_names(), type(self).__name__)

    def get_params(self, deep=True):
        """Parameters of the estimator and those meant for the net.

        Parameters
        ----------
        deep : bool, default=True
            Whether parameters that are estimators show theirs.

        Returns
        -------
        params : dict
            By name.
        """
        return {**super().get_params(deep=deep), **self._skorch_parameters}

    def set_params(self, **params):
        """Set parameters of the estimator and of the net.

        Parameters
        ----------
        **params : dict
            By name; those with skorch's prefixes need not exist yet.

        Returns
        -------
        self : RunnerFairClassifier
            The same object.
        """
        own = {k: v for k, v in params.items() if not k.startswith(_OPEN_NAMES)}
        super().set_params(**own)
        others = {k: v for k, v in params.items() if k not in own}
        self._skorch_parameters = {**self._skorch_parameters, **others}
        return self

    def _favourable(self, constraint, classes):
        """Code of the favourable label; an error where it must be told."""
        parts = () if constraint is None else constraint.parts
        asking = [p.name for p in parts if p.within in ("positive", "negative")]
        needed_by = f"constraint={asking[0]!r}" if asking else None
        return favourable_code(self.pos_label, classes, needed_by=needed_by)

    def _read(
        self,
        X,
        y,
        sensitive_features,
        sample_weight,
        constraint,
        *,
        classes,
        reset,
        caller,
        names=None,
    ):
        """Check everything that the user passed, once."""
        if self.sensitive_columns is not None:
            if sensitive_features is not None:
                raise ValueError(
                    f"{caller} got sensitive_features and "
                    f"sensitive_columns={self.sensitive_columns!r}: pass one of them."
                )
            X, sensitive_features = take_sensitive_columns(
                X, self.sensitive_columns, drop=self.drop_sensitive
            )
        raw = X
        check_same_indexes(
            raw,
            caller,
            y=y,
            sample_weight=sample_weight,
            sensitive_features=sensitive_features,
        )
        check_labels_present(y)
        X, y = self._validate(X, y, reset=reset)
        codes, classes = encode_labels(y, classes)
        needed_by = None
        if constraint is not None:
            needed_by = f"constraint={constraint.name!r}"
        elif self.sampling != "shuffled":
            needed_by = f"sampling={self.sampling!r}"
        groups = read_groups(
            sensitive_features,
            raw if isinstance(raw, pd.DataFrame) else X,
            needed_by=needed_by,
            missing=self.missing_groups,
            names=names,
            caller=caller,
        )
        return TrainingData(X, codes, classes, groups, read_weights(sample_weight, X))

    def _validate(self, X, y="no_validation", *, reset):
        """scikit-learn's checks, and float32; images stay what they are."""
        name = type(self).__name__
        images = read_images(X, caller=name, grey_floats=self._grey(X, reset))
        if images is not None:
            return self._validate_images(images, y, reset=reset)
        if reset:
            vars(self).pop("image_shape_", None)
        elif hasattr(self, "image_shape_"):
            raise ValueError(
                f"X holds no images, but a {type(X).__name__} of shape {np.shape(X)}, "
                f"and this {name} was trained on images of shape {self.image_shape_}: "
                "bring X to what it was trained on; a single image is X[None]."
            )
        with np.errstate(over="ignore"), warnings.catch_warnings():
            # An overflowing value becomes inf, which is refused by name.
            warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning)
            try:
                return validate_data(
                    self,
                    X,
                    y,
                    accept_sparse="csr",
                    dtype=np.float32,
                    allow_nd=self.module is not None,
                    reset=reset,
                )
            except ValueError as error:
                if "could not convert string" not in str(error):
                    raise
                raise ValueError(_about_texts(X, name, error)) from error

    def _grey(self, X, reset):
        """Whether floats of three axes are images: to the module, or as in `fit`."""
        if reset:
            return takes_grey_images(self.module, X)
        return getattr(self, "image_shape_", ())[:1] == (1,)

    def _validate_images(self, images: ImageSource, y, *, reset):
        """Images for a module of the user, of the shape of those trained on."""
        name, shape = type(self).__name__, images.shape[1:]
        if self.module is None:
            raise ValueError(
                f"X holds images of shape {shape}, and the default module of {name} "
                "takes tables: pass module=..., such as skfair_runner.modules.ResNet18."
            )
        check_image_shape(self, images, reset=reset)
        validate_data(self, images, y, reset=reset, skip_check_array=True)
        if isinstance(y, str) and y == "no_validation":
            return images
        y = validate_data(self, "no_validation", y, reset=reset)
        check_consistent_length(images, y)
        return images, y

    def _publish(self, net, data, settings, train):
        """Make the net and what it tells available, and nothing of an earlier one."""
        found = {"net_": net, "classes_": data.classes, "settings_": settings}
        if data.groups is not None:
            found["groups_"] = list(data.groups.names)
        if net.plan is not None and net.is_result:
            if net.before_ is None:
                net.before_ = net.diagnose(train, net.plan.importance)
            net.after_ = net.diagnose(train, None)
            table = make_neuron_table(net.before_, self.top_k, net.after_)
            found["neuron_importance_"] = table
            found["selected_neurons_"] = selected_by_layer(table)
        for name in ("groups_", "neuron_importance_", "selected_neurons_"):
            vars(self).pop(name, None)
        vars(self).update(found)

    def _finish(self, data, train, interrupt):
        """Say what is surprising, and let an interrupt go on."""
        if interrupt is not None:
            raise interrupt
        net = self.net_
        if net.plan is not None and net.is_result and net.history:
            voice = self._voice or self._own_voice()
            warn_if_constant(net, data, train, voice)
            warn_if_bound_not_met(net, train, voice)
        return self

    def _own_voice(self):
        """Who warns, and of which parameters in use."""
        steers = []
        if self.net_.plan.difference_bound is not None:
            several = isinstance(self.constraint, dict)
            bound = "a bound in constraint" if several else "difference_bound"
            steers.append(f"raise {bound}")
        if self.net_.plan.alpha > 0:
            steers.append("lower alpha")
        if self.net_.plan.output_weight > 0:
            steers.append("lower output_weight")
        return Voice(type(self).__name__, ", or ".join([*steers, "train longer"]))

    @property
    def history_(self):
        """One row per epoch of both phases, as a DataFrame."""
        check_is_fitted(self, "net_")
        rows = [
            {k: v for k, v in row.items() if k != "batches"}
            for row in self.net_.history
        ]
        return pd.DataFrame(rows)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Rows sum to one; columns follow ``classes_``.
        """
        return probabilities(self._logits(X))

    def predict(self, X):
        """Most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        logits = self._logits(X)
        if len(self.classes_) == 2:
            return self.classes_[(logits[:, 0] > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def _logits(self, X):
        check_is_fitted(self, "net_")
        if self.sensitive_columns is not None and self.drop_sensitive:
            X, _ = take_sensitive_columns(
                X, self.sensitive_columns, drop=True, required=False
            )
        X = self._validate(X, reset=False)
        with opened(X):
            logits = self.net_.decision_values(X)
        finite = np.isfinite(logits).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"The module emits {logits[~finite][0].tolist()} for row "
                f"{finite.argmin()} of X: its values are too large for the module, or "
                "its parameters are no numbers any more. Scale the features."
            )
        return logits

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _about_texts(X, name, error):
    """That a network takes numbers, and what makes them out of texts."""
    which = ""
    if hasattr(X, "select_dtypes"):
        texts = X.select_dtypes(exclude=["number", "bool"]).columns
        which = f" ({first_few([str(name) for name in texts])})"
    return (
        f"{name} takes numbers, but X has columns of text{which}: {error}. Encode them "
        "first, as in make_pipeline(make_table_preprocessor(), ...), which leaves "
        "sensitive columns out if it is told sensitive_columns=..."
    )
