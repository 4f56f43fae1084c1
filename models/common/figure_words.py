"""What the figures of the systems are: the words of the pages and tables that show them.

A figure has one name in metrics.csv, short enough for a column. `named` gives the field's term,
`meaning` what it measures, with its unit. A name that stands for the same thing in every system
is here; "SYSTEM.name" is what it is in that one. A figure that a person's own system made up is
shown by its name.
"""

MEANINGS = {
    # classes and quantities
    "loss": "the objective, mean over the examples",
    "accuracy": "share of right answers",
    "error": "wrong answers, %",
    "r2": "R²: share of the variance that is explained",
    "rmse": "root mean squared error: in the units of the quantity",
    "rmse_1": "root mean squared error of the next step alone",
    "within": "share of answers within 0.04 of the target",
    "coverage": "share of the values that lie in their bands",
    "width": "mean width of the bands",
    "nll": "negative log-likelihood: -ln p(x), nats an example",
    "perplexity": "perplexity: e to the mean loss of a word",
    "bits": "bits a symbol",
    "gain": "what the system's own way saves over the plain one",
    "error_plain": "wrong answers of the same net without the system's own way, %",
    # centres and maps
    "q": "criterion Q: mean squared distance of a sample to its winner",
    "qe": "quantisation error: mean distance of a sample to its winner",
    "dead": "dead centres: centres that win no sample",
    "purity": "share of samples of their winner's most frequent class",
    "te": "topographic error: share of samples whose two nearest nodes are not neighbours",
    "inertia": "sum of squared distances to the winners",
    "lloyd": "criterion Q of k-means from the same start",
    # autoencoders
    "squared_error": "squared error of the reconstruction, sum over an example",
    "reconstruction": "reconstruction term of the objective",
    "penalty": "penalty term of the objective, without its weight",
    "active": "share of codes above 0.1 in magnitude",
    "saturated": "share of codes at the flat ends of the sigmoid, below 0.01 or above 0.99",
    "mean_code": "mean of the codes",
    "off_epsilon": "distance of the codes' means from ε, relative",
    "denoising_error": "squared error to the clean example, from a corrupted one",
    "noise_error": "squared error of the corrupted example itself",
    "relation_error": "loss of the relations between examples, mean over pairs",
    "jacobian": "Frobenius norm of the encoder's Jacobian, mean",
    "error_gap": "error above that of PCA, relative",
    "sine": "sine of the largest angle to the subspace of PCA",
    "pca": "squared error of PCA of the same rank",
    "prediction": "cross-entropy of the predictor on the codes",
    "alone": "wrong answers of the same net without the images without labels, %",
    # pre-training compared: _contractive, _gaussian, _rbm and _random follow
    "jacobian_order": "largest ratio of neighbouring Jacobian norms; at most 1 in the stated order",
    "contractive_gap": "test error of contractive less that of denoising pre-training, points",
    "gaussian_gap": "test error of denoising less that of RBM pre-training, points",
    # codes with a prior
    "kl": "KL(q(z|x) ‖ p(z)): nats an example",
    "bound": "bound on -ln p(x): nats an example",
    "mmd2": "MMD² of the codes and the prior",
    "mmd2_null95": "MMD² that two samples of the prior stay below in 95 %",
    "mmd_ratio": "MMD² over that 95 % point; up to 1 the codes pass for draws of the prior",
    "mmd_p": "p-value of the codes as draws of the prior",
    "petal_error": "examples on another petal than their class's, %",
    "cost": "transport cost: the reconstruction error",
    "transport": "transport cost: the reconstruction error",
    # energy
    "gap": "F of the data less F of the model's states; 0 in equilibrium",
    "free_energy": "free energy of held-out examples, mean",
    "log_z": "ln Z by annealed importance sampling",
    "log_z_spread": "standard error of ln Z",
    "log_likelihood": "ln p(v) by annealed importance sampling, nats an example",
    "ais_error": "distance of that ln Z from enumeration, nats",
    "ais_effective": "effective number of annealing runs",
    "wake": "error of the generative net on states of the wake phase",
    "sleep": "error of the recognition net on states of the sleep phase",
    "unigram": "perplexity of single words",
    "unigram_per_document": "perplexity of single words, mean over the documents",
    "per_document": "perplexity, mean over the documents",
    # sparse codes
    "objective": "objective F of the codes",
    "fista": "objective F of exact codes, by FISTA",
    "one_shot": "objective F of the encoder's codes",
    "excess": "F of the encoder's codes above that of exact ones, relative",
    # games
    "d_real": "D(x): mean of what D says of real examples",
    "d_fake": "D(G(z)): mean of what D says of generated ones",
    "d_off_half": "mean distance of D from ½",
    "discrimination": "objective of D, the critic",
    "deception": "objective of G, or of the encoder, that D judges",
    "entropy": "entropy of the classes of generated examples, nats; at most ln K",
    "confidence": "confidence of a classifier in generated examples, share of that in real ones",
    "neighbours": "share of real and generated examples whose nearest is of their kind; ½: alike",
    "sliced_w1": "W₁ of generated and held-out examples, mean over directions",
    "swd": "sliced W₁ of windows of the images, mean over the scales",
    "arithmetic": "share of sums of codes whose image is of the expected class",
    "modes": "modes that generated points reach",
    "quality": "share of generated points near a mode",
    "histogram_distance": "distance of the histograms of generated and real values",
    "w1": "W₁: mean distance that mass has to travel",
    "wgan.gap": "value of the critic: an estimate of K·W₁",
    "parzen": "ln p of held-out images by Parzen windows around generated ones, nats",
    "matching": "√MMD² of generated and real examples",
    "classes": "cross-entropy of the labelled examples",
    "game": "objective of D about real and generated examples",
    # learning from other models, tasks and data
    "imitation": "distance of the student's answers from the teacher's",
    "labels": "cross-entropy with the labels",
    "plain": "objective of the net that learns from labels alone",
    "error_teacher": "wrong answers of the teacher, %",
    "distillation.error": "wrong answers of the student, or unexplained variance, %",
    "multi-task.error": "wrong answers or unexplained variance of the joint net, mean, %",
    "surrogate.error": "unexplained variance, %",
    "error_without": "wrong answers of the student that has not seen one class, %",
    "error_shifted": "the same, with the bias of that class raised, %",
    "unseen": "wrong answers on the class never seen in training, %",
    "unseen_shifted": "the same, with the bias of that class raised, %",
    "accuracy_teacher": "share of right answers of the teacher",
    "accuracy_regular": "share of right answers of the regular student",
    "error_separate": "error of a net for each task, %",
    "joint": "objective of all that is learnt together",
    "separate": "objective of the nets apart",
    "error_source": "wrong answers on the source task, %",
    "source": "objective of step 1, the source task",
    "frozen": "new heads on frozen layers",
    "tuned": "all layers fine-tuned",
    "scratch": "the same net from random weights",
    "spread": "standard error of the gain or error",
    "largest": "largest error of any answer, in deviations of its quantity",
    "net_ms": "milliseconds of the net for one answer",
    "simulator_ms": "milliseconds of the simulator for one answer",
    "speed_up": "time of the simulator over that of the net",
    "probe": "accuracy of a linear classifier on the codes",
    "probe_random": "accuracy of a linear classifier on codes of random weights",
    "probe_pixels": "accuracy of a linear classifier on the pixels",
    "precision": "precision@10: share of the ten nearest that are of the same class",
    "margin": "precision@10 above the better of pixels and of a net from scratch",
    "voters": "number k of neighbours that vote, by validation",
    "error_margin": "k-NN error below the lower of pixels and of a net from scratch, points",
    "error_pixels": "wrong answers of nearest neighbours in pixels, %",
    # tricks
    "sooner": "steps of the first net to its best accuracy, over those of the last net",
    "drift": "how far the inputs of the last hidden units move in training",
    # games of Go
    "top5": "share of moves that are among the five likeliest",
    "opening": "share of right moves in the opening: 1/6 as many moves as points",
    "middle": "share of right moves after it: up to 5/12 as many as points",
    "end": "share of right moves in the end game",
    # sequences
    "solved": "share of sequences that are right throughout",
    "largest_n": "largest n up to which all strings are right",
    "bleu": "BLEU-4, %",
    "later": "nats a frame over the frames 2 to the last",
    "accuracy_views": "share of right answers, mean over the views of an image",
    # words, texts, nodes
    "rho": "Spearman's ρ of similarities with people's scores",
    "rho_all": "the same over all pairs, with vectors made of n-grams",
    "pairs": "scored pairs whose words are both known",
    "pairs_all": "scored pairs with vectors made of n-grams",
    "analogies": "analogies answered right, %",
    "questions": "analogies whose words are all known",
    "halves": "share of texts whose second half is nearest to their first",
    "fasttext.unseen": "share of unseen words that suit their context better than another would",
    "graph2vec.spread": "standard deviation over the folds",
    "macro_f1": "F1, mean over the classes",
    "micro_f1": "F1 over all labels",
    "edges": "share of joined pairs of nodes that are more alike than two others",
    "hit1": "share of pairs whose partner comes first",
    "hit10": "share of pairs whose partner is among the first ten",
    "rank": "mean place of the partner",
    # latent variables
    "nll_prior": "-ln p(x) by draws from the prior, nats",
    "nll_posterior": "-ln p(x) by draws from the posterior, nats",
    "ess_prior": "share of the draws from the prior that count",
    "ess_posterior": "share of the draws from the posterior that count",
}
OF = {  # what a name ends with: of whom the figure is
    "contractive": "contractive pre-training", "gaussian": "denoising pre-training",
    "rbm": "RBM pre-training", "random": "random weights", "batch_norm": "batch normalisation",
    "plain": "the plain net", "network": "the pre-trained network", "pixels": "pixels",
    "scratch": "a net from scratch",
}  # fmt: skip


def meaning(name: str, system: str = "") -> str:
    """What a figure of a system measures, or nothing for an unknown one.

    >>> meaning("valid_accuracy"), meaning("parzen_error"), meaning("my_own")
    ('share of right answers', 'standard error of parzen', '')
    """
    name = name.removeprefix("valid_")
    found = MEANINGS.get(f"{system}.{name}", MEANINGS.get(name))
    if found is not None:
        return found
    for end in ("_error", "_spread"):
        if name.endswith(end) and name.removesuffix(end) in MEANINGS:
            return f"standard error of {name.removesuffix(end)}"
    for end, who in OF.items():
        first = name.removesuffix(f"_{end}")
        if first != name and first in MEANINGS:
            return f"{MEANINGS[first]}: {who}"
    first, _, rest = name.partition("_")
    if first in MEANINGS and rest.isdigit():  # transfer: numbers of samples
        return f"{MEANINGS[first]}, {rest} samples: wrong answers, %"
    if first == "rmse":
        return f"root mean squared error of {rest}"
    return f"objective: {OF[name]}" if name in OF else ""


def named(name: str, system: str = "") -> str:
    """The field's term for a figure where it is no plain word, else its name in words.

    >>> named("qe"), named("valid_loss"), named("squared_error")
    ('quantisation error', 'validation loss', 'squared error')
    """
    term, colon, _ = meaning(name, system).partition(": ")
    plain = name.removeprefix("valid_")
    term = term if colon and plain in ABBREVIATED else plain.replace("_", " ")
    return f"validation {term}" if plain != name else term


ABBREVIATED = ("q", "qe", "te", "r2", "nll", "rmse", "w1", "d_real", "d_fake")
