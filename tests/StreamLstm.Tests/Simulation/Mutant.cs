namespace StreamLstm.Tests.Simulation;

/// <summary>A rule of reliability.md, broken on purpose; the last, the one that a stream which changed is encoded anew.</summary>
public enum Mutant
{
    None,
    R1AcknowledgesBeforeTheSync,
    R1ForgetsTheFilesName,
    R2ManifestBeforeTheSinksAreDurable,
    R3TellsBeforeTheSync,
    R4SwapsBeforeItIsWrittenDown,
    R6KeepsTheJournalOfTheNewestOnly,
    R7TakesWhatDoesNotMatchItsChecksum,
    R8NamesPartsBeforeTheirSync,
    R9ReadsTheClockAgain,
    CarriesOverWhatChanged,
}
