using StreamLstm.Daemon.Configuration;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Retraining;

/// <summary>A file of base weights, as <c>streamlstm train</c> and the retrainer write them.</summary>
internal static class BaseWeightsFile
{
    private const string Expectation = "expected a file that streamlstm train writes";

    /// <summary>The weights that streams start from before the daemon has trained any: those of the file, or random ones.</summary>
    /// <exception cref="IOException">The file was there when the configuration was checked, and is not any more.</exception>
    /// <exception cref="InvalidDataException">It holds something else by now.</exception>
    public static BaseModel Start(DetectionSection detection) =>
        detection.BaseWeights.Length == 0 ? BaseModel.Untrained(detection.Seed) : new BaseModel(0, Read(detection.BaseWeights));

    /// <summary>Why there are no base weights in the file, naming it; null where there are.</summary>
    public static string? ProblemOf(string path)
    {
        if (!File.Exists(path))
        {
            return $"'{path}' is not there, {Expectation}";
        }

        try
        {
            Read(path);
            return null;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return $"'{path}': {unusable.Message}; {Expectation}";
        }
    }


    private static ForecastWeights Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        ForecastWeights weights = WeightsFile.Read(file, out _);
        return weights.Shape == BaseModel.Shape
            ? weights
            : throw new InvalidDataException($"weights of shape {weights.Shape}, expected {BaseModel.Shape}");
    }
}
