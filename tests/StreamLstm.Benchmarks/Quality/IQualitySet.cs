namespace StreamLstm.Benchmarks.Quality;

/// <summary>A labelled data set, how it is scored, and what others reached on it.</summary>
internal interface IQualitySet
{
    /// <summary>On the command line.</summary>
    string Name { get; }

    /// <summary>Its folder below the data directory.</summary>
    string Folder { get; }

    /// <summary>Its format for <c>streamlstm backtest</c>.</summary>
    string Format { get; }

    /// <summary>What is measured.</summary>
    IReadOnlyList<QualityMetric> Metrics { get; }

    /// <summary>What must be reached, by the first row of <see cref="Score"/>, as a mean over seeds.</summary>
    IReadOnlyList<QualityGoal> Goals { get; }

    /// <summary>What others reached on these files, or on the whole corpus where the name says so.</summary>
    IReadOnlyList<QualityRow> Published { get; }

    /// <summary>Scores a backtest's output; the first row counts, the others tell more.</summary>
    /// <param name="results">The backtest's output directory.</param>
    /// <param name="data">The set's folder, labels among it.</param>
    IReadOnlyList<QualityRow> Score(string results, string data);

    /// <summary>Scores what needs no skill, on the same files by the same scorer.</summary>
    IReadOnlyList<QualityRow> Trivial(string data);
}

/// <summary>A metric's name, and how its values are printed.</summary>
internal readonly record struct QualityMetric(string Name, string Format);

/// <summary>A detector and its metrics, NaN where one is not known.</summary>
internal sealed record QualityRow(string Name, params double[] Values);
